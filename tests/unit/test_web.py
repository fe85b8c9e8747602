"""The web tier over a ledger in this process: what needs a bound to be reached or a server away."""

import json
from dataclasses import replace
from typing import Any

import fakeredis
import pytest
import redis
from flask.testing import FlaskClient

from minequeue.chain.errors import WrongRules
from minequeue.chain.ledger import Ledger, RedisClient
from minequeue.chain.protocol.proof_of_work import HASHLIB
from minequeue.chain.protocol.signature import SecretKey
from minequeue.chain.protocol.transaction import sign_submission
from tests.ledgers import BOUNDS, RULES, make_ledger, make_miner, mine_all, submit
from tests.mining_steps import open_candidate
from tests.separate_ledgers import make_fake_client
from tests.web_clients import PLAIN, WakeUpCounter, make_client


def _is_problem(answer: Any, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.data)
    assert problem["type"] == f"urn:minequeue:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


def test_a_path_that_there_is_not_is_told_as_any_other_thing_that_there_is_not(
    client: FlaskClient,
) -> None:
    problem = _is_problem(client.get("/nowhere"), 404, "not-found")
    other = _is_problem(client.get("/chain/blocks/77"), 404, "not-found")
    assert problem["title"] == other["title"]  # RFC 9457: the same for all of a type
    assert "/docs" in problem["detail"]


@pytest.mark.parametrize(
    "path", ["/chain//new", "/chain/new//", "/chain//tip", "//evil.test/chain"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_with_an_empty_part_leads_nowhere(
    client: FlaskClient, method: str, path: str
) -> None:
    answer = client.open(method=method, environ_overrides={"PATH_INFO": path})
    _is_problem(answer, 404, "not-found")
    assert "Location" not in answer.headers


def test_an_accepted_submission_wakes_the_miners_and_a_refused_one_does_not(
    ledger: Ledger,
) -> None:
    wake_ups = WakeUpCounter()
    client = make_client(ledger, wake_ups)
    client.post("/chain/new", json={})
    assert wake_ups.times == 0
    client.post("/chain/new", json=PLAIN)
    client.get("/chain/mine")
    assert wake_ups.times == 2


def test_a_submission_that_does_not_fit_is_429_and_nothing_of_it_is_accepted(
    redis_client: RedisClient,
) -> None:
    client = make_client(make_ledger(redis_client, bounds=replace(BOUNDS, pending=3)))
    assert client.post("/chain/new", json=[PLAIN] * 2).status_code == 202
    answer = client.post("/chain/new", json=[PLAIN] * 2)
    _is_problem(answer, 429, "queue-full")
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/queue").json["pending_transactions"] == 2  # type: ignore[index]  # JSON
    assert client.post("/chain/new", json=PLAIN).status_code == 202


def test_mine_requests_past_their_bound_are_429_and_may_soon_come_again(
    redis_client: RedisClient,
) -> None:
    slow = replace(RULES, block_interval_s=3600)  # not what a full queue waits for
    client = make_client(make_ledger(redis_client, slow, replace(BOUNDS, pending=1)))
    assert client.get("/chain/mine").status_code == 202
    answer = client.get("/chain/mine")
    _is_problem(answer, 429, "queue-full")
    assert answer.headers["Retry-After"] == "5"


def test_a_batch_past_its_bound_is_413_and_at_its_bound_accepted(client: FlaskClient) -> None:
    _is_problem(client.post("/chain/new", json=[PLAIN] * 6), 413, "content-too-large")
    assert client.post("/chain/new", json=[PLAIN] * 5).status_code == 202


def test_a_body_past_its_bound_is_413_and_at_its_bound_accepted(ledger: Ledger) -> None:
    body = json.dumps(PLAIN).encode()
    client = make_client(ledger, body_bytes=len(body))
    kind = {"content_type": "application/json"}
    assert client.post("/chain/new", data=body, **kind).status_code == 202
    _is_problem(client.post("/chain/new", data=body + b" ", **kind), 413, "content-too-large")


def test_a_server_that_is_away_is_503_with_a_time_to_come_back() -> None:
    server = fakeredis.FakeServer()
    ledger = make_ledger(RedisClient(make_fake_client(server), wait_s=0.1))
    client = make_client(ledger)
    server.connected = False
    for answer in (
        client.post("/chain/new", json=PLAIN),
        client.get("/chain/mine"),
        client.get("/queue"),
        client.get("/health/ready"),
    ):
        _is_problem(answer, 503, "ledger-unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/health/live").status_code == 200


def test_a_server_whose_memory_is_used_up_is_429(
    redis_client: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(make_ledger(redis_client))

    def fail(*_: Any) -> Any:
        raise redis.exceptions.OutOfMemoryError("OOM command not allowed")

    monkeypatch.setattr(redis_client, "_send", fail)
    _is_problem(client.post("/chain/new", json=PLAIN), 429, "queue-full")


def test_a_repeated_key_gives_the_receipt_to_the_byte_even_after_mining(
    ledger: Ledger, client: FlaskClient
) -> None:
    headers = {"Idempotency-Key": "k"}
    first = client.post("/chain/new", json=PLAIN, headers=headers)
    mine_all(ledger)
    again = client.post("/chain/new", json=PLAIN, headers=headers)
    assert (again.status_code, again.data) == (202, first.data)
    other = client.post("/chain/new", json={**PLAIN, "amount": 6}, headers=headers)
    _is_problem(other, 422, "idempotency-key-reused")
    batch = client.post("/chain/new", json=[PLAIN, PLAIN], headers=headers)
    _is_problem(batch, 422, "idempotency-key-reused")


def test_the_entries_of_a_batch_with_a_key_are_distinct_and_repeatable(
    ledger: Ledger, client: FlaskClient
) -> None:
    headers = {"Idempotency-Key": "k"}
    first = client.post("/chain/new", json=[PLAIN, PLAIN], headers=headers)
    assert client.post("/chain/new", json=[PLAIN, PLAIN], headers=headers).data == first.data
    assert ledger.queue.read().pending == 2


def test_a_head_request_makes_no_block(ledger: Ledger, client: FlaskClient) -> None:
    assert client.head("/chain/mine").status_code == 405
    assert ledger.queue.read().mine_requests == 0


def test_a_job_is_queued_then_mining_then_done(ledger: Ledger, client: FlaskClient) -> None:
    job = client.post("/mine").json
    assert job is not None
    path = job["links"]["self"]
    assert client.get(path).json["status"] == "queued"  # type: ignore[index]  # JSON
    open_candidate(ledger)
    assert client.get(path).json["status"] == "mining"  # type: ignore[index]  # JSON
    make_miner(ledger).run()
    done = client.get(path).json
    assert done is not None
    assert done["status"] == "done"
    assert done["block"] == {"index": 2, "hash": ledger.blocks.tip().header.hash.hex()}


def test_a_wait_that_finds_no_free_slot_is_answered_at_once(ledger: Ledger) -> None:
    client = make_client(ledger, wait_s=0)
    assert client.get("/chain/mine", headers={"Prefer": "wait=30"}).status_code == 202


@pytest.mark.parametrize("path", ["/chain", "/chain/headers"])
def test_a_page_has_bounds(ledger: Ledger, client: FlaskClient, path: str) -> None:
    for _ in range(4):
        client.get("/chain/mine")
    mine_all(ledger)
    member = "chain" if path == "/chain" else "headers"

    def page(query: str) -> list[int]:
        answer = client.get(f"{path}{query}").json
        assert answer is not None
        assert answer["length"] == 5
        return [block["index"] for block in answer[member]]

    assert page("?from=1&limit=3") == [1, 2, 3]
    assert page("?from=5&limit=3") == [5]
    assert page("?from=4") == [4, 5]
    for query in ("?from=0", "?from=6", "?limit=0", "?limit=4", "?from=x", "?limit=-1", "?from="):
        _is_problem(client.get(f"{path}{query}"), 400, "bad-parameter")


def test_the_queue_tells_scalers_what_they_need(ledger: Ledger, client: FlaskClient) -> None:
    client.get("/chain/mine")
    ledger.fleet.send_heartbeat("w", 2, "vectors-8")
    answer = client.get("/queue").json
    assert answer is not None
    assert answer["depth"] == answer["mine_requests"] == 1
    assert answer["pending_transactions"] == answer["pending_bytes"] == 0
    assert answer["backlog_hashes"] == 2**RULES.bits
    assert answer["estimated_drain_s"] is None
    assert (answer["miners"], answer["miners_wanted"]) == (2, 1)
    assert (answer["kernels"], answer["warnings"]) == ({"vectors-8": 2}, [])
    assert answer["bits"] == RULES.bits
    assert answer["limits"] == {"batch": 5, "body_bytes": 10_000}
    assert answer["tip"]["index"] == 1


def test_the_queue_tells_no_larger_batch_than_may_wait(redis_client: RedisClient) -> None:
    client = make_client(make_ledger(redis_client, bounds=replace(BOUNDS, pending=3)))
    limits = client.get("/queue").get_json()["limits"]
    assert limits["batch"] == 3
    assert client.post("/chain/new", json=[PLAIN] * 4).status_code == 429
    assert client.post("/chain/new", json=[PLAIN] * 3).status_code == 202


def test_an_answer_tells_how_much_of_a_submission_was_known(client: FlaskClient) -> None:
    first, second = ({**PLAIN, "nonce": nonce} for nonce in "12")
    told = []
    for sent in (first, [first, second], [first, second], {**first, "amount": 6}):
        answer = client.post("/chain/new", json=sent)
        assert answer.status_code == 202
        told.append(answer.headers["Known-Transactions"])
    assert told == ["0", "1", "2", "0"]


def test_the_queue_warns_of_miners_without_machine_code(
    ledger: Ledger, client: FlaskClient
) -> None:
    ledger.fleet.send_heartbeat("w", 2, "vectors-8")
    ledger.fleet.send_heartbeat("x", 3, HASHLIB)
    answer = client.get("/queue").json
    assert answer is not None
    assert answer["kernels"] == {"vectors-8": 2, HASHLIB: 3}
    assert answer["warnings"][0].startswith("3 miners search nonces with hashlib")


def test_the_chain_is_sent_in_small_parts_whatever_the_size_of_its_blocks(
    redis_client: RedisClient,
) -> None:
    rules = replace(RULES, block_transactions=1000, block_bytes=2**30)
    ledger = make_ledger(redis_client, rules, replace(BOUNDS, pending=1000))
    for count in (1, 1000, 2):
        submit(ledger, count)
        mine_all(ledger)
    answer = make_client(ledger).get("/chain")
    parts = list(answer.iter_encoded())
    assert max(map(len, parts)) <= 64 * 1024
    assert len(parts) < 10  # and small blocks do not each take a part
    lengths = [len(block["transactions"]) for block in json.loads(b"".join(parts))["chain"]]
    assert lengths == [0, 2, 1001, 3]


def test_readers_past_their_seats_are_429_and_a_slot_is_free_again_when_one_goes_away(
    ledger: Ledger,
) -> None:
    client = make_client(ledger, readers=1)
    for _ in range(2):
        with client.get("/chain") as reader:
            assert reader.status_code == 200
            refused = client.get("/chain?limit=1")
            _is_problem(refused, 429, "too-many-readers")
            assert int(refused.headers["Retry-After"]) >= 1
            assert client.get("/chain/headers").status_code == 200
            etag = reader.headers["ETag"]
            assert client.get("/chain", headers={"If-None-Match": etag}).status_code == 304
    with client.head("/chain") as looked:
        assert looked.status_code == 200
    assert client.get("/chain").status_code == 200


def test_an_etag_spares_an_unchanged_chain(client: FlaskClient) -> None:
    answer = client.get("/chain")
    assert (
        client.get("/chain", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    )
    assert client.get("/chain", headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.fixture
def signed_client(redis_client: RedisClient) -> FlaskClient:
    """Of a network that demands signatures."""
    return make_client(make_ledger(redis_client, replace(RULES, signed=True)))


def _sign(**fields: Any) -> bytes:
    payment = {"recipient": "bob", "amount": 5, **fields}
    return sign_submission(payment, SecretKey(b"\1" * 32), lambda: "n")


def test_where_signatures_are_demanded_the_unsigned_is_refused_in_every_form(
    signed_client: FlaskClient,
) -> None:
    post = signed_client.post
    _is_problem(post("/chain/new", json=PLAIN), 400, "signature-required")
    lines = {"data": json.dumps(PLAIN), "content_type": "application/x-ndjson"}
    for refused in (post("/chain/new", json=[PLAIN, PLAIN]), post("/chain/new", **lines)):
        assert refused.status_code == 400
    mixed = post("/chain/new", json=[PLAIN, json.loads(_sign())])
    assert mixed.status_code == 202
    first, second = json.loads(mixed.data)
    assert first["problem"]["type"] == "urn:minequeue:problem:signature-required"
    assert second["status"] == "pending"
    assert signed_client.get("/queue").get_json()["depth"] == 1


def test_a_signed_transaction_that_is_sent_again_gives_the_first_receipt(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(redis_client, replace(RULES, signed=True))
    client = make_client(ledger)
    kind = {"content_type": "application/json"}
    first = client.post("/chain/new", data=_sign(), **kind)
    assert first.status_code == 202
    for key in ({}, {"Idempotency-Key": "another"}):
        again = client.post("/chain/new", data=_sign(), headers=key, **kind)
        assert (again.status_code, again.data) == (202, first.data)
    mine_all(ledger)
    again = client.post("/chain/new", data=_sign(), **kind)
    assert (again.status_code, again.data) == (202, first.data)
    assert ledger.queue.read().depth == 0


def test_a_client_can_see_that_signatures_are_demanded(signed_client: FlaskClient) -> None:
    assert signed_client.get("/chain/tip").get_json()["signatures"] == "required"


def test_the_choice_is_kept_with_the_chain(redis_client: RedisClient) -> None:
    make_ledger(redis_client, replace(RULES, signed=True))
    make_ledger(redis_client, replace(RULES, signed=True))
    with pytest.raises(WrongRules):
        make_ledger(redis_client)
