"""A server in cluster mode, as Amazon MemoryDB always is: one node that has all of the slots."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from compose.embedded import find_server, redis_url, server_command, wait_until_ready
from tests.ledgers import request_mine, submit
from tests.stack import free_port
from tests.waiting import wait_for
from tests.workers import StartWorker, is_drained, open_ledger


@pytest.fixture
def cluster_url(tmp_path: Path) -> Iterator[str]:
    """The URL of such a server."""
    socket = tmp_path / "valkey.sock"
    server = find_server(os.environ.get("MINEQUEUE_SERVER_BINARY", ""))
    options = [
        *("--cluster-enabled", "yes", "--bind", "127.0.0.1"),
        *("--port", str(free_port()), "--cluster-port", str(free_port())),
    ]
    with subprocess.Popen(
        [*server_command(server, tmp_path, socket), *options], stdout=subprocess.DEVNULL
    ) as process:
        try:
            wait_until_ready(socket, lambda: process.poll() is None)
            client: Any = redis.Redis(unix_socket_path=str(socket))  # untyped execute_command()
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            wait_for(
                lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"),
                "a cluster",
            )
            client.close()
            yield redis_url(socket)
        finally:
            process.kill()


def test_workers_mine_on_a_server_in_cluster_mode(
    cluster_url: str, start_worker: StartWorker
) -> None:
    with open_ledger(cluster_url) as ledger:
        start_worker(cluster_url)
        submit(ledger, 5)
        request_mine(ledger)
        wait_for(lambda: is_drained(ledger), "a block", 30)
        assert ledger.blocks.tip().header.index == 2
