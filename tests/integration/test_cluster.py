"""A server in cluster mode, as Amazon MemoryDB always is: one node that has all of the slots."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.ledgers import request_mine, submit
from tests.server import run_server
from tests.stack import free_port
from tests.waiting import wait_for
from tests.workers import StartWorker, is_drained, make_settings, open_ledger


@pytest.fixture
def empty_url(tmp_path: Path) -> Iterator[str]:
    """The URL of such a server that has no slots, so that it says CLUSTERDOWN."""
    options = [
        *("--cluster-enabled", "yes", "--bind", "127.0.0.1"),
        *("--port", str(free_port()), "--cluster-port", str(free_port())),
    ]
    with run_server(tmp_path, *options) as url:
        yield url


def give_slots(url: str) -> None:
    client: Any = redis.Redis.from_url(url)  # untyped execute_command()
    with client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_for(
            lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"), "a cluster"
        )


@pytest.fixture
def cluster_url(empty_url: str) -> str:
    """The URL of such a server."""
    give_slots(empty_url)
    return empty_url


@pytest.mark.parametrize("part", ["web", "worker", "resolver"])
def test_a_part_that_starts_while_a_cluster_is_down_says_so_in_a_sentence(
    part: str, empty_url: str, tmp_path: Path
) -> None:
    settings = make_settings(empty_url, redis_wait="0.5", data_dir=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "minequeue", part],
        env={**os.environ, **settings.as_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Redis cannot be used (CLUSTERDOWN " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_part_that_starts_while_a_cluster_is_down_waits_as_long_as_it_may(
    empty_url: str, start_worker: StartWorker
) -> None:
    start_worker(empty_url, redis_wait="60")
    give_slots(empty_url)
    with open_ledger(empty_url, redis_wait="60") as ledger:
        request_mine(ledger)
        wait_for(lambda: is_drained(ledger), "a block", 60)


def test_workers_mine_on_a_server_in_cluster_mode(
    cluster_url: str, start_worker: StartWorker
) -> None:
    with open_ledger(cluster_url) as ledger:
        start_worker(cluster_url)
        submit(ledger, 5)
        request_mine(ledger)
        wait_for(lambda: is_drained(ledger), "a block", 30)
        assert ledger.blocks.tip().header.index == 2
