"""How a node is called: by TLS that is verified, directly, and once."""

import socket
import ssl

import pytest
import trustme
from flask import Flask

from minequeue.chain.peers.allow_list import AllowList
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
