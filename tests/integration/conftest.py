"""A real server: the one that MINEQUEUE_REDIS_URL names, else an embedded one of this session."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger, RedisClient, open_redis
from tests.ledgers import make_ledger
from tests.server import run_server
from tests.workers import StartWorker, make_start


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that answers and may be emptied."""
    named = os.environ.get("MINEQUEUE_REDIS_URL")
    if named:
        yield named
        return
    with run_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts `minequeue worker` on a server; what was started is gone after the test."""
    with ExitStack() as started:
        yield make_start(started, tmp_path)


@pytest.fixture
def redis_client(server_url: str) -> Iterator[RedisClient]:
    """A connection to an empty server."""
    made = open_redis(server_url, wait_s=2)
    made.client.flushall()
    yield made
    made.client.close()


@pytest.fixture
def ledger(redis_client: RedisClient) -> Ledger:
    return make_ledger(redis_client)
