"""A ledger in this process: fakeredis runs the real scripts, without a server."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Connection, Ledger
from tests.ledgers import make_ledger
from tests.separate_ledgers import make_fake_client
from tests.web_clients import make_client


@pytest.fixture
def connection() -> Iterator[Connection]:
    client = make_fake_client()
    yield Connection(client, wait_s=1)
    client.close()


@pytest.fixture
def ledger(connection: Connection) -> Ledger:
    return make_ledger(connection)


@pytest.fixture
def client(ledger: Ledger) -> FlaskClient:
    return make_client(ledger)
