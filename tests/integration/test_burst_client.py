"""The burst's client against a node of a few lines, which errs as it is told."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from minequeue.compose.burst.client import send
from minequeue.compose.burst.plan import Plan
from minequeue.compose.burst.record import Record

# the status for the n-th request to a path, from 0; None closes the connection without an answer
Err = Callable[[str, int], int | None]


class FaultyNode:
    def __init__(self) -> None:
        self.err: Err = lambda _path, _count: 202
        self.keys: list[str] = []
        self._lock = threading.Lock()
        node = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with node._lock:
                    count = len(node.keys)
                    node.keys.append(self.headers["Idempotency-Key"])
                status = node.err(self.path, count)
                if status is None:
                    self.close_connection = True
                    return
                body = json.dumps({"id": f"name {self.headers['Idempotency-Key']}"}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815  # the names are the base class's

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def node() -> Iterator[FaultyNode]:
    node = FaultyNode()
    with node.server:
        node.server.daemon_threads = True
        threading.Thread(target=node.server.serve_forever, daemon=True).start()
        yield node
        node.server.shutdown()


def _send(node: FaultyNode, requests: int, *, retry: bool = False, mine: float = 0) -> Record:
    plan = Plan(requests, 4, submit=1 - mine, mine=mine, read=0, seed=1, retry=retry)
    record = Record()
    asyncio.run(send(node.url, plan, record))
    return record


def test_every_receipt_is_kept_by_the_name_that_the_node_gave(node: FaultyNode) -> None:
    record = _send(node, 20)
    assert set(record.receipts) == {f"name burst-1-{number}" for number in range(20)}
    assert [answer.status for answer in record.answers] == [202] * 20
    assert record.unknown == {}


def test_a_mine_request_gives_a_job(node: FaultyNode) -> None:
    record = _send(node, 3, mine=1)
    assert (len(record.jobs), record.receipts) == (3, {})


@pytest.mark.parametrize("status", [None, 500, 503])
def test_what_may_have_been_taken_is_unknown(node: FaultyNode, status: int | None) -> None:
    node.err = lambda _path, _count: status
    record = _send(node, 3)
    assert (len(record.unknown), record.receipts) == (3, {})


@pytest.mark.parametrize("status", [400, 429])
def test_what_was_refused_is_neither_kept_nor_unknown(node: FaultyNode, status: int) -> None:
    node.err = lambda _path, _count: status
    record = _send(node, 3)
    assert (record.unknown, record.receipts) == ({}, {})


@pytest.mark.parametrize("status", [None, 429, 503])
def test_a_careful_client_repeats_with_the_same_key(node: FaultyNode, status: int | None) -> None:
    node.err = lambda _path, count: status if count == 0 else 202
    record = _send(node, 1, retry=True)
    assert set(node.keys) == {"burst-1-0"}
    assert list(record.receipts) == ["name burst-1-0"]
    assert record.unknown == {}
    assert [answer.status for answer in record.answers] == [status or 0, 202]


def test_what_was_once_unclear_stays_unknown_when_it_is_refused_later(node: FaultyNode) -> None:
    node.err = lambda _path, count: 503 if count == 0 else 400
    record = _send(node, 1, retry=True)
    assert list(record.unknown) == ["burst-1-0"]


def test_a_redirect_is_not_followed(node: FaultyNode) -> None:
    node.err = lambda _path, _count: 307
    record = _send(node, 1)
    assert [answer.status for answer in record.answers] == [307]
    assert len(node.keys) == 1
