"""A ledger in this process: fakeredis runs the real scripts, without a server."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger, RedisClient
from tests.ledgers import make_ledger
from tests.separate_ledgers import make_fake_client
from tests.web_clients import make_client


@pytest.fixture
def redis_client() -> Iterator[RedisClient]:
    client = make_fake_client()
    yield RedisClient(client, wait_s=1)
    client.close()


@pytest.fixture
def ledger(redis_client: RedisClient) -> Ledger:
    return make_ledger(redis_client)


@pytest.fixture
def client(ledger: Ledger) -> FlaskClient:
    return make_client(ledger)
