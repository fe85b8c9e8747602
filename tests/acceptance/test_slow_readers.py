"""Readers that do not read: they hold no more of the web tier than is set aside for them."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.http import PATIENCE_S, post
from tests.acceptance.stack import Stack
from tests.waiting import wait_for

SEATS = 2
LARGE = {
    "sender": "alice",
    "recipient": "bob",
    "amount": 1,
    "contract": {"note": "x" * 16_000},
}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    small = Stack(tmp_path / "data", web_processes="1", web_threads=str(2 * SEATS))
    yield small.start()
    assert small.stop() == 0


def _read_a_little(stack: Stack) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", stack.port), PATIENCE_S)
    connection.sendall(b"GET /chain HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert connection.recv(12).startswith(b"HTTP/1.1 200")
    return connection


def test_readers_that_do_not_read_leave_room_for_others_and_their_seats_when_they_go(
    stack: Stack,
) -> None:
    for _ in range(2):  # more than the sockets between the two take
        assert post(stack.url, [LARGE] * 900).status == 202
    stack.wait_until_drained()
    with ExitStack() as slow:
        for _ in range(SEATS):
            slow.enter_context(_read_a_little(stack))
        refused = stack.get("/chain")
        assert refused.status == 429
        assert refused.json()["type"] == "urn:minequeue:problem:too-many-readers"
        assert int(refused.headers["Retry-After"]) >= 1
        assert post(stack.url, {**LARGE, "contract": {}}).status == 202
        assert stack.get("/chain/headers").status == 200
    whole = wait_for(
        lambda: answer if (answer := stack.get("/chain")).status == 200 else None, "a free seat"
    )
    assert len(whole.body) > 1800 * 16_000
