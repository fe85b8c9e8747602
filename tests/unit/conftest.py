"""A ledger in this process: fakeredis runs the real scripts, without a server."""

from collections.abc import Iterator

import fakeredis
import pytest

from chain.ledger import Connection


@pytest.fixture
def connection() -> Iterator[Connection]:
    client = fakeredis.FakeRedis()
    yield Connection(client, wait_s=1)
    client.close()
