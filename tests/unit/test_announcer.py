"""What a supervisor says decides over nothing, whoever takes it, or nobody."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest

# more than a pipe holds
CODE = """
import sys, time
from minequeue.compose.stack.announcer import Announcer
began = time.monotonic()
with Announcer() as announce:
    for number in range(int(sys.argv[1])):
        announce(f"{number} caf\\u00e9 \\udcff" + "x" * 100)
    told_s = time.monotonic() - began
print(told_s < 1, time.monotonic() - began < 5, file=sys.stderr)
"""


def closed_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def pipe_that_nobody_reads() -> int:
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)  # and which is left open
    return writer


def terminal_that_is_gone() -> int:
    ours, theirs = pty.openpty()
    os.close(ours)
    return theirs


def full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


@pytest.mark.parametrize(
    "make", [closed_pipe, pipe_that_nobody_reads, terminal_that_is_gone, full_disk]
)
def test_output_that_cannot_be_written_neither_raises_nor_holds_up(make: Callable[[], int]) -> None:
    descriptor = make()
    try:
        done = run(descriptor)
    finally:
        os.close(descriptor)
    assert (done.stderr, done.returncode) == ("True True\n", 0)


def test_output_that_was_closed_at_the_start_is_none() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", CODE, "2000"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("True True\n", 0)


def test_lines_come_in_order_and_whole_before_the_end() -> None:
    done = run(subprocess.PIPE, lines=900)
    end = "caf\u00e9 \udcff" + "x" * 100
    assert done.stdout.splitlines() == [f"{number} {end}" for number in range(900)]
    assert done.returncode == 0


def run(output: int, lines: int = 2000) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", CODE, str(lines)],
        stdout=output,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        timeout=60,
    )
