"""How a node is called: by TLS that is verified, directly, and once."""

import asyncio
import errno
import os
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest
import trustme
from flask import Flask

from minequeue.chain.peers.allow_list import AllowList
from minequeue.chain.peers.url import PeerUrl
from minequeue.workers.peers.client import PeerClient
from minequeue.workers.peers.http_node import HttpNode
from minequeue.workers.peers.node import PeerAway, PeerFaulty
from tests.peers_http import serve_app, serve_raw, write
from tests.separate_ledgers import make_separate_ledger
from tests.web_clients import make_client

LOOPBACK = AllowList.parse("127.0.0.0/8")


@pytest.fixture
def app() -> Flask:
    return make_client(make_separate_ledger(), hosts=["node.example"]).application


def test_a_certificate_is_verified_for_the_name_that_is_called(app: Flask) -> None:
    authority = trustme.CA()
    known, served = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(known)
    authority.issue_cert("node.example").configure_cert(served)
    client = PeerClient(LOOPBACK, context=known, resolve=lambda *_: ["127.0.0.1"])
    stranger = PeerClient(LOOPBACK, resolve=lambda *_: ["127.0.0.1"])
    with serve_app(app, served) as address:
        node = address.replace("127.0.0.1", "node.example")
        other = address.replace("127.0.0.1", "other.example")
        assert HttpNode(client, node).tip().header.index == 1
        for caller, called in ((client, other), (client, address), (stranger, node)):
            with pytest.raises(PeerFaulty, match="TLS with it fails: CERTIFICATE_VERIFY_FAILED"):
                HttpNode(caller, called).tip()


def test_a_proxy_of_the_environment_is_not_used(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serve_app(app) as address:
        assert HttpNode(PeerClient(LOOPBACK), address).tip().header.index == 1


def test_a_peer_that_hangs_up_is_asked_once() -> None:
    asked: list[str] = []
    with (
        serve_raw(lambda _, path: asked.append(path)) as address,
        pytest.raises(PeerAway, match="cannot be reached"),
    ):
        HttpNode(PeerClient(LOOPBACK), address).tip()
    assert asked == ["/chain/tip"]


def test_what_comes_before_the_answer_is_passed_over() -> None:
    def send(connection: socket.socket, _path: str) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + write(b"{}"))

    with serve_raw(send) as address:
        HttpNode(PeerClient(LOOPBACK), address).announce()


@pytest.mark.parametrize("status", [101, 404, 700])
def test_a_status_that_nobody_asked_for_is_told(status: int) -> None:
    answer = f"HTTP/1.1 {status} Other\r\nUpgrade: other\r\n\r\n".encode()
    with (
        serve_raw(lambda connection, _: connection.sendall(answer)) as address,
        pytest.raises(PeerFaulty, match=f"It answers {status} to POST"),
    ):
        HttpNode(PeerClient(LOOPBACK), address).announce()


def test_a_name_is_called_at_the_next_of_its_addresses_where_one_is_away(app: Flask) -> None:
    with serve_app(app) as address:
        client = PeerClient(LOOPBACK, resolve=lambda *_: ["10.0.0.1", "127.0.0.2", "127.0.0.1"])
        node = HttpNode(client, address.replace("127.0.0.1", "node.example"))
        assert node.tip().header.index == 1


def test_a_tls_peer_that_says_farewell_with_its_greeting_is_away() -> None:
    authority = trustme.CA()
    known, served = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(known)
    authority.issue_cert("node.example").configure_cert(served)
    served.maximum_version = ssl.TLSVersion.TLSv1_2  # whose greeting ends with the server's words
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = served.wrap_bio(incoming, outgoing, server_side=True)

    def greet_and_leave(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    incoming.write(connection.recv(65536))
            with pytest.raises(ssl.SSLWantReadError):
                tls.unwrap()
            connection.sendall(
                outgoing.read()
            )  # the end of the handshake and the farewell, at once

    client = PeerClient(LOOPBACK, context=known, resolve=lambda *_: ["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as peer:
        left = peer.submit(greet_and_leave, listener)
        url = PeerUrl.parse(f"https://node.example:{listener.getsockname()[1]}")
        with pytest.raises(PeerAway, match="cannot be reached"):
            client.call(url, "GET", "/chain/tip", {}, most_bytes=1000)
        left.result(5)


def test_no_descriptor_for_a_call_says_that_of_the_peer_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(asyncio, "new_event_loop", fail)
    with pytest.raises(PeerAway, match="cannot be reached: Too many open files"):
        HttpNode(PeerClient(LOOPBACK), "http://127.0.0.1:1").tip()
