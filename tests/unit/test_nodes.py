"""The routes under /nodes, and the requests to resolve behind them."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from minequeue.chain.errors import InvalidBlock, TooManyPeers
from minequeue.chain.ledger import Ledger, PeerStatus, Pending, Record, ResolveResult
from minequeue.chain.ledger.peers import MAX_PEERS
from minequeue.chain.peers.allow_list import AllowList
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.rules import MAX_BODY_BYTES
from minequeue.chain.protocol.validation import validate_body
from minequeue.workers.peers import meeting
from minequeue.workers.peers.client import PeerClient
from minequeue.workers.peers.http_node import HttpNode
from minequeue.workers.peers.resolver import Resolver
from tests.ledgers import make_miner, request_mine
from tests.peers import LedgerNode
from tests.separate_ledgers import make_separate_ledger
from tests.web_clients import WakeUpCounter, make_client

NODES = ["http://127.0.0.1:3001", "http://127.0.0.1:3002"]
PERIOD_S = 10


@pytest.fixture
def client(ledger: Ledger) -> FlaskClient:
    return make_client(ledger, page=500)


def _register(client: FlaskClient, *addresses: str) -> Any:
    return client.post("/nodes/register", json={"nodes": list(addresses)})


def _is_due(ledger: Ledger) -> bool:
    return ledger.peers.is_due(ledger.blocks.tip().header.hash, PERIOD_S)


def _resolve(ledger: Ledger, other: LedgerNode) -> ResolveResult | None:
    return Resolver(ledger, lambda _: other, PERIOD_S).run()


def test_registered_nodes_are_listed_in_their_one_spelling(client: FlaskClient) -> None:
    answer = _register(client, "127.0.0.1:3002", "HTTP://127.0.0.1:3001/", NODES[0])
    assert answer.status_code == 201
    assert answer.get_json()["total_nodes"] == NODES
    found = client.get("/nodes/").get_json()
    assert found["total_nodes"] == NODES
    assert [node["state"] for node in found["nodes"]] == ["new", "new"]


def test_registering_wakes_the_resolver(ledger: Ledger) -> None:
    wake_ups = WakeUpCounter()
    assert not _is_due(ledger)
    _register(make_client(ledger, wake_ups), *NODES)
    assert wake_ups.times == 1
    assert _is_due(ledger)


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{}",
        b"[]",
        b'{"nodes": []}',
        b'{"nodes": "x"}',
        b'{"nodes": [1]}',
        b'{"nodes": ["x y"]}',
        b'{"nodes": ["ftp://x"]}',
        b'{"nodes": ["http://x"], "more": 1}',
        b"\xff",
    ],
)
def test_what_names_no_nodes_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/nodes/register", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["type"] == "urn:minequeue:problem:invalid-peer"
    assert client.get("/nodes/").get_json()["total_nodes"] == []


@pytest.mark.parametrize(
    ("peer_allow", "host", "status"),
    [
        ("127.0.0.0/8,::1/128", "169.254.169.254", 403),
        ("127.0.0.0/8,::1/128", "126.255.255.255", 403),
        ("127.0.0.0/8,::1/128", "127.0.0.0", 201),
        ("127.0.0.0/8,::1/128", "127.255.255.255", 201),
        ("127.0.0.0/8,::1/128", "128.0.0.0", 403),
        ("127.0.0.0/8,::1/128", "[::ffff:a9fe:a9fe]", 403),
        ("127.0.0.0/8,::1/128", "[64:ff9b::a9fe:a9fe]", 403),
        ("127.0.0.0/8,::1/128", "[::1]", 201),
        ("127.0.0.0/8,::1/128", "metadata.example", 201),  # who knows where it leads
        ("node.example,*.nodes", "metadata.example", 403),
        ("node.example,*.nodes", "node.example", 201),
        ("node.example,*.nodes", "a.nodes", 201),
        ("node.example,*.nodes", "127.0.0.1", 403),
        ("", "127.0.0.1", 403),
        ("", "node.example", 403),
    ],
)
def test_a_node_that_may_not_be_called_is_refused_at_once_where_that_is_plain(
    ledger: Ledger, peer_allow: str, host: str, status: int
) -> None:
    client = make_client(ledger, peer_allow=peer_allow)
    answer = _register(client, f"http://{host}:80")
    assert answer.status_code == status
    found = client.get("/nodes/").get_json()["total_nodes"]
    assert len(found) == (status == 201)
    if status == 403:
        assert answer.get_json()["type"] == "urn:minequeue:problem:peer-not-allowed"
        assert host.strip("[]") in answer.get_json()["detail"]
        assert "MINEQUEUE_PEER_ALLOW" in answer.get_json()["detail"]


def test_a_node_that_may_not_be_called_keeps_out_those_that_are_named_with_it(
    client: FlaskClient,
) -> None:
    assert _register(client, NODES[0], "http://169.254.169.254").status_code == 403
    assert client.get("/nodes/").get_json()["total_nodes"] == []


def test_a_name_that_leads_where_no_node_may_be_called_has_a_state_of_its_own(
    ledger: Ledger,
) -> None:
    client = make_client(ledger)
    assert _register(client, "http://metadata.example").status_code == 201
    allowed = AllowList.parse("127.0.0.0/8")
    caller = PeerClient(allowed, resolve=lambda *_: ["169.254.169.254"])
    Resolver(ledger, lambda address: HttpNode(caller, address), PERIOD_S).run()
    [node] = client.get("/nodes/").get_json()["nodes"]
    assert node["state"] == "not allowed"
    assert "169.254.169.254" in node["reason"]
    assert "MINEQUEUE_PEER_ALLOW" in node["reason"]
    assert (node["seen_ms"], node["failures"]) == (0, 1)
    assert 'minequeue_peers{state="not allowed"} 1.0' in client.get("/metrics").text


def test_as_many_nodes_as_are_kept_and_one_more(client: FlaskClient) -> None:
    most = [f"http://node{number}:80" for number in range(MAX_PEERS)]
    assert _register(client, *most).status_code == 201
    assert _register(client, most[0]).status_code == 201
    answer = _register(client, most[0], "http://one-more:80")
    assert (answer.status_code, answer.get_json()["type"][-14:]) == (409, "too-many-peers")
    assert len(client.get("/nodes/").get_json()["total_nodes"]) == MAX_PEERS


def test_too_many_peers_says_what_to_do(ledger: Ledger) -> None:
    with pytest.raises(TooManyPeers, match="remove some"):
        ledger.peers.register([f"http://n{number}:80" for number in range(MAX_PEERS + 1)])


def test_a_body_that_names_nodes_has_its_bound(client: FlaskClient) -> None:
    body = json.dumps({"nodes": ["http://node:80"]}).encode()
    for size, status in ((64 * 1024, 201), (64 * 1024 + 1, 413)):
        kind = {"content_type": "application/json"}
        assert client.post("/nodes/register", data=body.ljust(size), **kind).status_code == status


def test_a_node_can_be_forgotten(client: FlaskClient) -> None:
    _register(client, *NODES)
    assert client.delete(f"/nodes/{NODES[0]}").status_code == 204
    assert client.get("/nodes/").get_json()["total_nodes"] == NODES[1:]
    assert client.delete(f"/nodes/{NODES[0]}").status_code == 404
    assert client.delete("/nodes/127.0.0.1:3002").status_code == 204
    assert client.delete("/nodes/http://x:0").status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_resolving_is_a_job(client: FlaskClient, ledger: Ledger, method: str) -> None:
    answer = client.open("/nodes/resolve", method=method)
    assert answer.status_code == 202
    job = answer.get_json()["id"]
    path = answer.headers["Location"]
    assert client.get(path).get_json()["status"] == "queued"
    _resolve(ledger, LedgerNode(ledger))
    assert client.get(path).get_json() == {
        "id": job,
        "kind": "resolve",
        "links": {"self": path},
        "status": "done",
        "replaced": False,
        "peers_asked": 0,
        "peers_at_fault": 0,
    }


def test_a_look_at_the_headers_of_resolve_makes_no_work(
    client: FlaskClient, ledger: Ledger
) -> None:
    assert client.head("/nodes/resolve").status_code == 405
    assert not _is_due(ledger)


def test_what_has_not_begun_serves_all_who_ask(ledger: Ledger) -> None:
    network = ledger.peers
    first = network.request_resolve()
    assert network.request_resolve() == first
    turn = network.take_lease()
    assert turn
    assert list(turn.jobs) == [first]
    second = network.request_resolve()
    assert second != first
    assert network.request_resolve() == second
    network.finish(turn, ResolveResult(False, 0, 0), bytes(32))
    assert isinstance(network.find_result(first), ResolveResult)
    assert isinstance(network.find_result(second), Pending)
    assert network.find_result("0" * 32) is None


def test_one_resolver_at_a_time_and_a_lost_turn_finishes_nothing(ledger: Ledger) -> None:
    network = ledger.peers
    job = network.request_resolve()
    turn = network.take_lease()
    assert turn
    assert network.take_lease() is None
    assert network.renew(turn)
    client: Any = ledger.redis.client
    client.hset("{minequeue:test}:resolver", "until", 0)  # as when its process died
    other = network.take_lease()
    assert other
    assert list(other.jobs) == [job]
    assert not network.renew(turn)
    network.finish(turn, ResolveResult(True, 9, 9), bytes(32))
    assert isinstance(network.find_result(job), Pending)
    network.finish(other, ResolveResult(False, 1, 0), bytes(32))
    assert network.find_result(job) == ResolveResult(False, 1, 0)


def test_a_meeting_is_due_when_the_tip_moved_and_after_a_period(ledger: Ledger) -> None:
    network = ledger.peers
    network.register(NODES[:1])
    _resolve(ledger, LedgerNode(ledger))
    assert not _is_due(ledger)
    assert network.is_due(ledger.blocks.tip().header.hash, 0)
    request_mine(ledger)
    make_miner(ledger).run()
    assert _is_due(ledger)


def test_a_node_that_was_removed_meanwhile_is_not_noted(ledger: Ledger) -> None:
    network = ledger.peers
    network.register(NODES)
    network.remove(NODES[0])
    network.note(NODES[0], PeerStatus(state="same"))
    assert list(network.list_all()) == NODES[1:]


def test_waiting_for_a_resolution_gives_the_chain(ledger: Ledger) -> None:
    client = make_client(ledger, lambda: _resolve(ledger, LedgerNode(ledger)))
    answer = client.get("/nodes/resolve", headers={"Prefer": "wait=1"})
    found = answer.get_json()
    assert answer.status_code == 200
    assert found["message"] == "Our chain is authoritative."
    assert found["chain"] == client.get("/chain").get_json()["chain"]


def test_a_block_at_the_largest_body_and_past_it() -> None:
    header = Header(1, 0, 2, 0, bytes(32), bytes(32), 0)
    for size, reason in ((MAX_BODY_BYTES, "Merkle root"), (MAX_BODY_BYTES + 1, "bytes")):
        body = b"[" + b" " * (size - 2) + b"]"
        with pytest.raises(InvalidBlock, match=reason):
            validate_body(Block(header, body))


def test_a_job_tells_that_its_block_went_stale(client: FlaskClient, ledger: Ledger) -> None:
    job = request_mine(ledger)
    make_miner(ledger).run()
    assert client.get(f"/jobs/{job}").get_json()["on_best_chain"] is True
    digest = ledger.blocks.tip().header.hash
    redis: Any = ledger.redis.client
    redis.hdel("{minequeue:test}:indexes", digest)  # as adopt_branch.lua does
    assert client.get(f"/jobs/{job}").get_json()["on_best_chain"] is False


class _Clock:
    """A clock that goes on by so much at each look."""

    def __init__(self, step_s: float) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def _other(blocks: int) -> Ledger:
    ledger = make_separate_ledger()
    for _ in range(blocks):
        request_mine(ledger)
        make_miner(ledger).run()
    return ledger


def test_a_long_chain_is_taken_over_in_many_meetings_and_its_node_is_not_blamed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "_BATCH", 2)
    other = _other(20)
    ledger.peers.register(NODES[:1])
    for _ in range(10):
        Resolver(ledger, lambda _: LedgerNode(other), PERIOD_S, clock=_Clock(5)).run()
        assert ledger.peers.list_all()[NODES[0]].failures == 0
        if ledger.blocks.tip() == other.blocks.tip():
            break
        assert _is_due(ledger)
    assert ledger.blocks.tip() == other.blocks.tip()


def test_a_node_that_takes_a_minute_for_nothing_is_blamed(ledger: Ledger) -> None:
    other = _other(20)
    ledger.peers.register(NODES[:1])
    Resolver(ledger, lambda _: LedgerNode(other), PERIOD_S, clock=_Clock(20)).run()
    status = ledger.peers.list_all()[NODES[0]]
    assert status.state == "faulty"
    assert "longer than a minute" in status.reason
    assert ledger.blocks.tip().header.index == 1


def test_a_resolver_that_lost_its_turn_changes_nothing_more(ledger: Ledger) -> None:
    other = LedgerNode(_other(3))
    ledger.peers.register(NODES)
    redis: Any = ledger.redis.client

    class Slow(LedgerNode):
        def tip(self) -> Record:
            redis.hset("{minequeue:test}:resolver", "token", "another")
            return super().tip()

    assert Resolver(ledger, lambda _: Slow(other.ledger), PERIOD_S).run() is None
    assert ledger.blocks.tip().header.index == 1
