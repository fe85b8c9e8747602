"""Real workers for tests: `minequeue worker` as a process, and the ledger it works on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from minequeue.chain.ledger import Ledger
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import make_ledger

BITS = 12
StartWorker = Callable[..., "subprocess.Popen[bytes]"]


def make_settings(url: str, **settings: str) -> Settings:
    """Settings of a small network, with what ``settings`` say otherwise."""
    return Settings.from_environment(
        {},
        {
            "redis_url": url,
            "network": "workers",
            "bits": str(BITS),
            "block_interval": "0.5",
            "block_transactions": "200",
            "miners": "2,2",
            **settings,
        },
    )


@contextmanager
def open_ledger(url: str, **settings: str) -> Iterator[Ledger]:
    """The ledger that such a worker works on."""
    ledger = make_ledger(make_settings(url, **settings))
    try:
        yield ledger
    finally:
        ledger.redis.client.close()


def is_drained(ledger: Ledger) -> bool:
    return ledger.queue.read().depth == 0


def make_start(started: ExitStack, directory: Path) -> StartWorker:
    """A function that starts a worker, or another part; it is gone when ``started`` is closed."""

    def start(url: str, part: str = "worker", **settings: str) -> "subprocess.Popen[bytes]":
        log = started.enter_context((directory / "worker.log").open("ab"))
        found = make_settings(url, data_dir=str(directory), **settings)
        process = subprocess.Popen(
            [sys.executable, "-m", "minequeue", part],
            env={**os.environ, **found.as_environment()},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.callback(process.wait)
        started.callback(_kill_group, process)
        return process

    return start


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
