"""The server's clock jumps, both ways: a stored moment holds nobody up beyond its own length."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chain.ledger import Ledger, connect
from tests.clock import ServerClock, find_faketime
from tests.ledgers import make_ledger
from tests.server import run_server
from tests.waiting import wait_for

HOUR_S = 3600
pytestmark = pytest.mark.skipif(find_faketime() is None, reason="libfaketime is not installed")


@pytest.fixture
def clock(tmp_path: Path) -> ServerClock:
    return ServerClock(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path, clock: ServerClock) -> Iterator[Ledger]:
    with run_server(tmp_path, binary=clock.binary) as url:
        made = connect(url, wait_s=2)
        yield make_ledger(made)
        made.client.close()


@pytest.fixture
def jump(ledger: Ledger, clock: ServerClock) -> Callable[[int], None]:
    """Sets the clock and returns when commands see it."""

    def jump(ahead_s: int) -> None:
        clock.set(ahead_s)
        wait_for(
            lambda: abs(ledger.queue.read().now_ms / 1000 - time.time() - ahead_s) < HOUR_S / 2,
            "the new time",
        )

    return jump


def test_a_servers_clock_is_set_while_it_runs(jump: Callable[[int], None]) -> None:
    for ahead_s in (HOUR_S, -HOUR_S, 24 * HOUR_S, 0):
        jump(ahead_s)
