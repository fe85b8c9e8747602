"""Slow readers, waiters and writers hold no more of the web tier than is set aside for them."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.http import TIMEOUT_S, post
from tests.stack import Stack
from tests.waiting import wait_for

READERS, WAITERS, WRITERS = 2, 1, 3  # slots for each, by the threads below
MANY = 40  # many times the threads
QUICK_S = 5
LARGE = {
    "sender": "alice",
    "recipient": "bob",
    "amount": 1,
    "contract": {"note": "x" * 16_000},
}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    small = Stack(tmp_path / "data", web_processes="1", web_threads="8")
    yield small.start()
    assert small.stop() == 0


def _read_a_little(stack: Stack) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", stack.port), TIMEOUT_S)
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
        for _ in range(READERS):
            slow.enter_context(_read_a_little(stack))
        refused = stack.get("/chain")
        assert refused.status == 429
        assert refused.json()["type"] == "urn:minequeue:problem:too-many-readers"
        assert int(refused.headers["Retry-After"]) >= 1
        assert post(stack.url, {**LARGE, "contract": {}}).status == 202
        assert stack.get("/chain/headers").status == 200
    whole = wait_for(
        lambda: answer if (answer := stack.get("/chain")).status == 200 else None, "a free slot"
    )
    assert len(whole.body) > 1800 * 16_000


def _write_a_little(stack: Stack, path: str = "/chain/new") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", stack.port), TIMEOUT_S)
    connection.sendall(
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{" % path.encode()
    )
    return connection


def _wait_for_a_block(stack: Stack) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", stack.port), TIMEOUT_S)
    connection.sendall(b"GET /chain/mine HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=60\r\n\r\n")
    return connection


def _is_quick(stack: Stack) -> None:
    """What has no body is served as if nobody was slow."""
    began = time.monotonic()
    assert stack.get("/health/live").status == 200
    assert stack.get("/health/ready").status == 200
    assert stack.get("/chain/headers").status == 200
    assert time.monotonic() - began < QUICK_S


@pytest.mark.parametrize("path", ["/chain/new", "/nodes/register"])
def test_writers_that_do_not_write_leave_room_for_others_and_their_seats_when_they_go(
    stack: Stack, path: str
) -> None:
    with ExitStack() as slow:
        writers = [slow.enter_context(_write_a_little(stack, path)) for _ in range(MANY)]

        def told() -> list[socket.socket]:
            return [writer for writer in writers if _has_answer(writer)]

        wait_for(lambda: len(told()) == MANY - WRITERS, "an answer to all but those with slots")
        assert b"too-many-writers" in told()[0].recv(4096)
        _is_quick(stack)
        refused = post(stack.url, {**LARGE, "contract": {}})
        assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
    wait_for(lambda: post(stack.url, {**LARGE, "contract": {}}).status == 202, "a free slot")


def test_a_slow_body_among_few_is_waited_for(stack: Stack) -> None:
    with _write_a_little(stack) as writer:
        time.sleep(1)  # it is slow
        writer.sendall(b'"sender":"slow","recipient":"b","amount":1}'.ljust(99))
        assert writer.recv(12).startswith(b"HTTP/1.1 202")


def test_nobody_without_a_token_is_waited_for(tmp_path: Path) -> None:
    tokens = "someone:submit:" + "0" * 64
    small = Stack(tmp_path / "data", web_processes="1", web_threads="8", tokens=tokens).start()
    try:
        with _write_a_little(small) as writer:
            assert writer.recv(12).startswith(b"HTTP/1.1 401")
    finally:
        assert small.stop() == 0


def test_readers_waiters_and_writers_together_leave_room_for_others(tmp_path: Path) -> None:
    hard = Stack(tmp_path / "data", web_processes="1", web_threads="8", miners="0,1", bits="12")
    hard.start()
    try:
        for _ in range(2):
            assert post(hard.url, [LARGE] * 900).status == 202
        hard.wait_until_drained()
        (workers,) = hard.processes_of("worker")[:1]
        workers.suspend()
        with ExitStack() as slow:
            for _ in range(READERS):
                slow.enter_context(_read_a_little(hard))
            for _ in range(2 * WAITERS):
                slow.enter_context(_wait_for_a_block(hard))
            for _ in range(MANY):
                slow.enter_context(_write_a_little(hard))
            time.sleep(1)  # all of them are under way
            _is_quick(hard)
        workers.resume()
    finally:
        assert hard.stop() == 0


def _has_answer(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
