"""Hostile peers: each costs bounded time and memory, is marked with the reason, changes nothing."""

import gzip
import json
import socket
import threading
import time
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from minequeue.chain.ledger import Ledger, PeerStatus
from minequeue.chain.peers.allow_list import AllowList
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.workers.peers.client import PeerClient
from minequeue.workers.peers.http_node import HttpNode
from minequeue.workers.peers.resolver import Resolver
from tests.ledgers import RULES, make_miner, request_mine, submit
from tests.peers_http import serve_app, serve_raw, write, write_json
from tests.separate_ledgers import make_separate_ledger
from tests.web_clients import make_client

ANSWER_S = 0.5
MAX_BYTES = 32 * 2**20  # of memory that a meeting and the peer take in this process
LOOPBACK = AllowList.parse("127.0.0.0/8")
OURS = 3  # blocks of our chain, the genesis block not counted


@pytest.fixture
def ours() -> Ledger:
    """A node with a chain and a pending transaction."""
    ledger = make_separate_ledger()
    _mine(ledger, OURS)
    submit(ledger)
    return ledger


@pytest.fixture
def theirs() -> Ledger:
    return make_separate_ledger()


def _mine(ledger: Ledger, blocks: int) -> None:
    for _ in range(blocks):
        submit(ledger)
        request_mine(ledger)
        make_miner(ledger).run()


def _meet(ours: Ledger, address: str, client: PeerClient | None = None) -> PeerStatus:
    """Let ``ours`` meet the peer at ``address``, within time and memory; what it saw of it."""
    called = client or PeerClient(LOOPBACK, answer_s=ANSWER_S)
    ours.peers.register([address])
    before = ours.queue.read()
    tracemalloc.start()
    began = time.monotonic()
    try:
        Resolver(ours, lambda named: HttpNode(called, named), 10).run()
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 4 * ANSWER_S
    after = ours.queue.read()
    assert (after.tip, after.pending) == (before.tip, before.pending)
    return ours.peers.list_all()[address]


def _is_marked(status: PeerStatus, reason: str, state: str = "faulty") -> None:
    assert status.state == state
    assert reason in status.reason
    assert status.failures == 1
    assert status.next_ms > 0


def test_a_longer_chain_of_less_work_is_not_taken_over(theirs: Ledger) -> None:
    ours = make_separate_ledger(replace(RULES, bits=8))
    _mine(ours, 1)  # 2^8 hashes
    _mine(theirs, 5)  # five times 2^4
    with serve_app(make_client(theirs, page=500).application) as address:
        status = _meet(ours, address)
    assert status.state == "behind"
    assert status.index == 6


def test_a_chain_of_headers_without_work_is_refused(ours: Ledger) -> None:
    theirs = make_separate_ledger(replace(RULES, bits=1))
    _mine(theirs, 30)
    with serve_app(make_client(theirs, page=500).application) as address:
        _is_marked(_meet(ours, address), "claims 1 bits, the network demands 4")


def test_another_network_is_refused(ours: Ledger) -> None:
    theirs = make_separate_ledger(replace(RULES, network="other"))
    _mine(theirs, 5)
    with serve_app(make_client(theirs, page=500).application) as address:
        _is_marked(_meet(ours, address), "another network")


def test_a_network_with_another_rule_is_refused(ours: Ledger) -> None:
    theirs = make_separate_ledger(replace(RULES, signed=True))
    with serve_app(make_client(theirs, page=500).application) as address:
        _is_marked(_meet(ours, address), "there signatures are 'required', here optional")


def test_claimed_work_is_not_believed(ours: Ledger, theirs: Ledger) -> None:
    honest = make_client(theirs, page=500)

    def send(connection: socket.socket, path: str) -> None:
        answer = honest.get(path)
        if path == "/chain/tip":
            connection.sendall(write_json({**answer.get_json(), "cumulative_work": str(2**200)}))
        else:
            connection.sendall(write(answer.data, status=answer.status))

    _mine(theirs, 1)
    with serve_raw(send) as address:
        _is_marked(_meet(ours, address), "less work than it claims")


class Forger:
    """Answers with a chain whose last header was changed, and mined anew where that helps."""

    def __init__(self, ledger: Ledger, *, mined: bool = True, **changes: Any) -> None:
        self._honest = make_client(ledger, page=500)
        tip = ledger.blocks.tip()
        self._before = tip.header
        self._header = replace(tip.header, **changes)
        if mined:
            nonce = search_with_hashlib(self._header.prefix, 0, 2**20)
            assert nonce is not None
            self._header = replace(self._header, proof=nonce)
        self._work = tip.cumulative_work

    def __call__(self, connection: socket.socket, path: str) -> None:
        forged = self._header.to_dict()
        if path == "/chain/tip":
            connection.sendall(write_json({**forged, "cumulative_work": str(self._work)}))
            return
        if path.startswith("/chain/blocks/"):
            path = f"/chain/blocks/{path[-64:].replace(forged['hash'], self._before.hash.hex())}"
        answer = self._honest.get(path)
        body = answer.get_json()
        if "headers" in body:
            body["headers"] = [
                forged if h["index"] == forged["index"] else h for h in body["headers"]
            ]
        connection.sendall(write(_dump(body), status=answer.status))


def _dump(body: Any) -> bytes:

    return json.dumps(body, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"previous_hash": bytes(32)}, "does not link"),
        ({"timestamp": 2**42}, "over 2 hours ahead"),
        ({"timestamp": 0}, "not above the median"),
        ({"version": 2}, "version is 2"),
        ({"bits": 200, "mined": False}, "does not have 200 zero bits"),
        ({"bits": 3}, "claims 3 bits"),
        ({"bits": 2**32 - 1, "mined": False}, "claims 4294967295 bits"),
        ({"merkle_root": bytes(32)}, "another header"),
    ],
)
def test_a_header_that_lies_is_refused(
    ours: Ledger, theirs: Ledger, changes: dict[str, Any], reason: str
) -> None:
    _mine(theirs, OURS + 1)
    with serve_raw(Forger(theirs, **changes)) as address:
        _is_marked(_meet(ours, address), reason)


def test_a_body_that_does_not_match_its_header_is_refused(ours: Ledger, theirs: Ledger) -> None:
    _mine(theirs, OURS + 1)
    honest = make_client(theirs, page=500)

    def send(connection: socket.socket, path: str) -> None:
        answer = honest.get(path)
        body = answer.data
        if "/blocks/" in path:
            body = body.replace(b'"alice"', b'"mallo"')
        connection.sendall(write(body, status=answer.status))

    with serve_raw(send) as address:
        _is_marked(_meet(ours, address), "Merkle root is another")


GIGABYTE = 2**30


def _flood(connection: socket.socket, piece: bytes) -> None:
    sent = 0
    while sent < GIGABYTE:
        sent += connection.send(piece)


def _say_a_gigabyte(connection: socket.socket, _path: str) -> None:
    connection.sendall(write(b"{", length=GIGABYTE))
    _flood(connection, b" " * 65536)


def _send_chunks_without_end(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    _flood(connection, b"10000\r\n" + b" " * 65536 + b"\r\n")


def _send_until_closed(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    _flood(connection, b" " * 65536)


def _send_headers_without_end(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    _flood(connection, b"X-More: and more\r\n")


def _send_a_line_without_end(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Line: ")
    _flood(connection, b"x" * 65536)


def _continue_without_end(connection: socket.socket, _path: str) -> None:
    _flood(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def _send_large_headers(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(90):
        connection.sendall(b"X-Large: " + b"x" * 60_000 + b"\r\n")


def _send_a_negative_chunk(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
    _flood(connection, b"x" * 2**20)


def _say_a_length_that_is_none(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}")


def _say_two_lengths(connection: socket.socket, _path: str) -> None:
    connection.sendall(write(b"{}", "Content-Length: 3"))


def _send_a_bomb(connection: socket.socket, _path: str) -> None:
    packed = gzip.compress(bytes(16 * 2**20))
    connection.sendall(write(packed, "Content-Encoding: gzip"))


def _answer_html(connection: socket.socket, _path: str) -> None:
    connection.sendall(write(b"<html>"))


def _answer_nested(connection: socket.socket, _path: str) -> None:
    connection.sendall(write(b"[" * 60_000))


def _answer_other_json(connection: socket.socket, _path: str) -> None:
    connection.sendall(write_json({"index": "1"}))


def _answer_no_http(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")


def _redirect(connection: socket.socket, _path: str) -> None:
    where = "Location: http://169.254.169.254/latest/meta-data/"
    connection.sendall(write(b"", where, status="302 Found"))


def _answer_as_the_ancestor(connection: socket.socket, path: str) -> None:
    if path == "/chain":
        connection.sendall(write_json({"chain": [], "length": 0}))
    else:
        connection.sendall(write(b"", status="404 Not Found"))


@pytest.mark.parametrize(
    ("send", "reason"),
    [
        (_say_a_gigabyte, "has 1073741824 bytes; at most"),
        (_send_chunks_without_end, "has more than"),
        (_send_until_closed, "has more than"),
        (_send_headers_without_end, "no HTTP"),
        (_send_a_line_without_end, "head of its answer has more than"),
        (_continue_without_end, "head of its answer has more than"),
        (_send_large_headers, "head of its answer has more than"),
        (_send_a_negative_chunk, "no HTTP"),
        (_say_a_length_that_is_none, "has a length that is no number"),
        (_say_two_lengths, "has a length that is no number"),
        (_send_a_bomb, "packs its answer"),
        (_answer_html, "not what it should be"),
        (_answer_nested, "not what it should be"),
        (_answer_other_json, "not what it should be"),
        (_answer_no_http, "no HTTP"),
        (_redirect, "redirects are not followed"),
        (_answer_as_the_ancestor, "GET /chain alone cannot be followed"),
    ],
)
def test_an_answer_that_is_none_is_refused(ours: Ledger, send: Any, reason: str) -> None:
    with serve_raw(send) as address:
        _is_marked(_meet(ours, address), reason)


def _drip(connection: socket.socket, data: bytes) -> None:
    for byte in data:
        connection.send(bytes([byte]))
        time.sleep(ANSWER_S / 4)  # each byte in time, all of them not


def _drip_headers(connection: socket.socket, _path: str) -> None:
    _drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def _drip_body(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    _drip(connection, b"{" * 1000)


def _drip_the_last_body(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n")
    _drip(connection, b"{" * 1000)


def _drip_until_closed(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    _drip(connection, b"{" * 1000)


def _drip_chunks(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    _drip(connection, b"1\r\n{\r\n" * 1000)


def _trail_without_end(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    _flood(connection, b"X-More: and more\r\n" * 1000)


def _say_nothing(connection: socket.socket, _path: str) -> None:
    connection.recv(1)


@pytest.mark.parametrize(
    "send",
    [
        _drip_headers,
        _drip_body,
        _drip_the_last_body,
        _drip_until_closed,
        _drip_chunks,
        _trail_without_end,
        _say_nothing,
    ],
)
def test_a_peer_that_takes_its_time_is_left(ours: Ledger, send: Any) -> None:
    with serve_raw(send) as address:
        _is_marked(_meet(ours, address), "longer than 0.5 s", state="away")


def _hang_up(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")


def test_an_answer_that_is_cut_short_is_no_answer(ours: Ledger) -> None:
    with serve_raw(_hang_up) as address:
        _is_marked(_meet(ours, address), "ends 999 bytes too early")


def test_nobody_listens(ours: Ledger) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    _is_marked(_meet(ours, f"http://127.0.0.1:{port}"), "cannot be reached", state="away")


def test_a_name_that_leads_elsewhere_the_second_time_gains_nothing(ours: Ledger) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"]])
    asked = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        asked.set()
        return next(answers)

    client = PeerClient(LOOPBACK, answer_s=ANSWER_S, resolve=resolve)
    paths: list[str] = []
    tip = make_client(ours).get("/chain/tip").get_json()  # before it is asked for: it takes a while

    def send(connection: socket.socket, path: str) -> None:
        paths.append(path)
        connection.sendall(write_json({**tip, "cumulative_work": str(2**200)}))

    with serve_raw(send) as address:
        named = address.replace("127.0.0.1", "rebind.example")
        status = _meet(ours, named, client)
    _is_marked(status, "169.254.169.254, which is not on the allow-list", "not allowed")
    assert asked.is_set()
    assert paths == ["/chain/tip"]


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "0.0.0.0"])
def test_an_address_that_is_not_allowed_is_not_called(ours: Ledger, address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    status = _meet(ours, f"http://{host}:80")
    _is_marked(status, "not on the allow-list", "not allowed")
    assert status.seen_ms == 0


def test_a_resolver_of_names_that_hangs_is_left(ours: Ledger) -> None:
    go_on = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        go_on.wait(10)
        return []

    client = PeerClient(LOOPBACK, answer_s=ANSWER_S, connect_s=0.2, resolve=resolve)
    try:
        status = _meet(ours, "http://slow.example:80", client)
    finally:
        go_on.set()
    _is_marked(status, "not resolved in time", state="away")


def test_a_faulty_peer_is_left_alone_for_a_while_and_others_are_met(
    ours: Ledger, theirs: Ledger
) -> None:
    calls: list[str] = []

    def send(connection: socket.socket, path: str) -> None:
        calls.append(path)
        _answer_html(connection, path)

    client = PeerClient(LOOPBACK, answer_s=ANSWER_S)
    resolver = Resolver(ours, lambda named: HttpNode(client, named), 10)
    _mine(theirs, OURS + 2)
    with serve_raw(send) as faulty, serve_app(make_client(theirs, page=500).application) as good:
        ours.peers.register([faulty, good])
        resolver.run()
        resolver.run()
        assert calls == ["/chain/tip"]
        assert ours.blocks.tip() == theirs.blocks.tip()
        # whoever registers it again wants it to be asked again
        ours.peers.register([faulty])
        resolver.run()
        assert calls == ["/chain/tip"] * 2


def test_an_honest_peer_over_a_socket_is_followed(ours: Ledger, theirs: Ledger) -> None:
    _mine(theirs, 5)
    with serve_app(make_client(theirs, page=500).application) as address:
        ours.peers.register([address])
        client = PeerClient(LOOPBACK)
        outcome = Resolver(ours, lambda named: HttpNode(client, named), 10).run()
        assert outcome
        assert outcome.replaced
        assert ours.blocks.tip() == theirs.blocks.tip()
        request_mine(ours)
        make_miner(ours).run()
        Resolver(ours, lambda named: HttpNode(client, named), 10).run()
        assert theirs.peers.is_due(theirs.blocks.tip().header.hash, 10)
