import subprocess
import sys

from minequeue.web.intake.nonces import NonceSource

DRAW_IN_PARENT_AND_CHILD = """
import os
from minequeue.web.intake.nonces import NonceSource
source = NonceSource()
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, source.draw().encode())
    os._exit(0)
print(source.draw(), os.read(reader, 100).decode())
os.wait()
"""


def test_no_two_nonces_are_alike() -> None:
    source, other = NonceSource(), NonceSource()
    drawn = [maker.draw() for maker in (source, other) for _ in range(1000)]
    assert len(set(drawn)) == len(drawn)
    assert all(len(nonce) == 32 for nonce in drawn)


def test_a_forked_process_draws_other_nonces_than_its_parent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRAW_IN_PARENT_AND_CHILD], capture_output=True, check=True, text=True
    )
    parent, child = done.stdout.split()
    assert parent != child
