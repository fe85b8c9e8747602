"""A real stack whose workers can be held still while a queue is filled."""

import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from minequeue.chain.ledger import Ledger, SubmitResult
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import make_ledger
from tests.stack import Stack


@contextmanager
def run_stack(**settings: str) -> Iterator[Stack]:
    """A stack in a directory of its own, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="minequeue-") as scratch:
        stack = Stack(Path(scratch, "data"), **settings).start()
        try:
            yield stack
        finally:
            stack.stop()


def open_ledger(stack: Stack) -> Ledger:
    """The stack's ledger, by its own settings."""
    options = {"data_dir": str(stack.data_dir)}
    return make_ledger(Settings.from_environment(stack.environment, options))


@contextmanager
def workers_held(stack: Stack) -> Iterator[None]:
    """The workers are frozen inside, and go on at the end."""
    held = stack.processes_of("worker")
    _signal(held, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(held, signal.SIGCONT)


def request_blocks(ledger: Ledger, count: int) -> None:
    """Queue so many mine requests."""
    for _ in range(count):
        assert ledger.mempool.request_mine(uuid.uuid4().hex) is SubmitResult.ACCEPTED


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
