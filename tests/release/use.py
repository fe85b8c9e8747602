"""Uses an installed minequeue as its user would, and tells what was seen."""

import json
import re
import time
from collections.abc import Iterator

from tests.stack import Stack

PAGES = ("/", "/docs", "/metrics")
_LINK = re.compile(r'(?:src|href)="(/[^"#?]+\.\w+)"')


def use(stack: Stack) -> Iterator[str]:
    """Start it, mine a transaction, open pages, check the chain, stop it; a line for each."""
    began = time.monotonic()
    stack.start()
    try:
        seconds = time.monotonic() - began
        yield f"up: ready in {seconds:.1f} s, miners by {', '.join(stack.queue()['kernels'])}"
        yield _mine(stack)
        for page in PAGES:
            yield from _open(stack, page)
        yield f"check: {_say(stack, 'check', stack.url).splitlines()[0]}"
    finally:
        code = stack.stop()
    assert code == 0, stack.said()
    assert stack.processes() == []
    yield "stopped: exit code 0, and no process is left"


def _mine(stack: Stack) -> str:
    """Submit a transaction and see it in a block."""
    node = ("--url", stack.url, "--json")
    payment = ("--sender", "alice", "--recipient", "bob", "--amount", "5")
    receipt = json.loads(_say(stack, "submit", *payment, *node))
    _say(stack, "mine", "--wait", "30", *node)
    stack.wait_until_drained()
    found = json.loads(_say(stack, "tx", receipt["id"], *node))
    assert found["status"] == "mined", found
    return f"transaction {receipt['id'][:8]}... is in block {found['block']['index']}"


def _open(stack: Stack, page: str) -> Iterator[str]:
    """Read a page, and every file that it names."""
    answer = stack.get(page)
    assert answer.status == 200, answer
    files = sorted(set(_LINK.findall(answer.body.decode())))
    sizes = [len(stack.get(file).body) for file in files if stack.get(file).status == 200]
    assert len(sizes) == len(files), files
    yield (
        f"GET {page}: {answer.status}, {len(answer.body):,} bytes"
        + (f"; with {len(files)} files of {sum(sizes):,} bytes" if files else "")
    )


def _say(stack: Stack, *arguments: str) -> str:
    done = stack.run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
