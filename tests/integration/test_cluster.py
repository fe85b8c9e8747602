"""A server in cluster mode, as Amazon MemoryDB always is: one node that has all of the slots."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.ledgers import request_mine, submit
from tests.server import run_server
from tests.stack import free_port
from tests.waiting import wait_for
from tests.workers import StartWorker, is_drained, open_ledger


@pytest.fixture
def cluster_url(tmp_path: Path) -> Iterator[str]:
    """The URL of such a server."""
    options = [
        *("--cluster-enabled", "yes", "--bind", "127.0.0.1"),
        *("--port", str(free_port()), "--cluster-port", str(free_port())),
    ]
    with run_server(tmp_path, *options) as url:
        client: Any = redis.Redis.from_url(url)  # untyped execute_command()
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_for(
            lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"), "a cluster"
        )
        client.close()
        yield url


def test_workers_mine_on_a_server_in_cluster_mode(
    cluster_url: str, start_worker: StartWorker
) -> None:
    with open_ledger(cluster_url) as ledger:
        start_worker(cluster_url)
        submit(ledger, 5)
        request_mine(ledger)
        wait_for(lambda: is_drained(ledger), "a block", 30)
        assert ledger.blocks.tip().header.index == 2
