"""Processes that check pages of a chain, each block by itself; what binds blocks is not theirs.

A page is checked where it is parsed, so that only facts come back. Each process has at most one
page, whatever the length of the chain, and results come in the chain's order.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, cycle
from multiprocessing.connection import Connection
from typing import TypeAlias

from minequeue.chain.audit import Facts, InvalidChain, validate_block
from minequeue.chain.errors import MinequeueError
from minequeue.compose.check.chain_page import CannotRead, Page

# the facts of the good blocks up to the first bad one, and what is wrong there
Checked: TypeAlias = tuple[list[Facts], InvalidChain | CannotRead | None]

_WORTH_STARTING = 20_000  # transactions; fewer are checked before a process has started


class CheckerDied(MinequeueError):
    """A process that checks the chain died, perhaps for want of memory; check again."""


def check_pages(pages: Iterator[Page], processes: int) -> Generator[Checked, None, None]:
    """Check each page, in order: a short chain here, a long one in ``processes`` of their own.

    Only the main thread may call it. Close it, and they end.

    Raises:
        CheckerDied: one of them did.
    """
    transactions = 0
    for page in pages:
        if processes > 1 and transactions >= _WORTH_STARTING:
            yield from _share(chain([page], pages), processes)
            return
        checked = check_page(page)
        transactions += sum(len(facts.ids) for facts in checked[0])
        yield checked


def check_page(page: Page) -> Checked:
    """Check each block of ``page`` by itself."""
    facts: list[Facts] = []
    try:
        for block in page.read():
            facts.append(validate_block(block))  # noqa: PERF401  # those before the bad one count
    except (InvalidChain, CannotRead) as error:
        return facts, error
    return facts, None


def _share(pages: Iterator[Page], processes: int) -> Iterator[Checked]:
    with ExitStack() as stack:
        with _deaf_to_interrupts():
            checkers = [stack.enter_context(_Checker()) for _ in range(processes)]
        busy: deque[_Checker] = deque()
        for page, checker in zip(pages, cycle(checkers), strict=False):
            # its next page first: the caller must not keep it waiting
            done = busy.popleft().receive() if len(busy) == processes else None
            checker.send(page)
            busy.append(checker)
            if done:
                yield done
        while busy:
            yield busy.popleft().receive()


class _Checker:
    """A process that checks one page at a time; leaving it ends it, whatever it does."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pages, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # held by them alone, it tells of their death

    def __enter__(self) -> "_Checker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()
        self._pages.close()

    def send(self, page: Page) -> None:
        try:
            self._pages.send(page)
        except OSError:
            raise CheckerDied from None

    def receive(self) -> Checked:
        try:
            checked: Checked = self._pages.recv()
        except (EOFError, OSError):
            raise CheckerDied from None
        return checked


def _serve(pages: Connection) -> None:
    """Check what comes until the other end is closed, if only by its owner's death."""
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            pages.send(check_page(pages.recv()))


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """What starts meanwhile never hears Ctrl-C, which a terminal sends to everybody in it."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)
