"""Each answer names its request, and a request that asks for it is tracked into its block."""

import logging
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger, Trail
from minequeue.chain.ledger import tracked_requests as following_module
from minequeue.chain.protocol.proof_of_work import Search, search_with_hashlib
from minequeue.web.guard.tokens import Tokens, draw_token, make_entry
from minequeue.workers.mining.miner import Miner
from minequeue.workers.mining.report import Report
from tests.ledgers import mine_all, mined_ids
from tests.web_clients import PLAIN, make_client

NAME = "checkout-17"
SPAN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def mine(ledger: Ledger, search: Search = search_with_hashlib) -> list[Trail]:
    """Mine all that waits; the trails that were told."""
    told: list[Trail] = []
    report = Report(ledger, lambda trail, _header: told.append(trail))
    miner = Miner(ledger, search, "node", tell=report.tell)
    ledger.mempool.request_mine("f" * 32)
    while ledger.queue.read().depth:
        miner.run()
    return told


def fields_of(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    return [record.__dict__["fields"] for record in caplog.records if record.getMessage() == event]


def test_a_submission_that_is_named_while_its_block_is_searched_is_told(
    ledger: Ledger, client: FlaskClient
) -> None:
    sent = {**PLAIN, "nonce": "n"}
    assert client.post("/chain/new", json=sent).status_code == 202

    def search(header_prefix: bytes, start: int, count: int) -> int | None:
        assert (
            client.post("/chain/new", json=sent, headers={"X-Request-Id": NAME}).status_code == 202
        )
        return search_with_hashlib(header_prefix, start, count)

    (trail,) = mine(ledger, search)
    assert trail.request_id == NAME


@pytest.mark.parametrize("path", ["/", "/queue", "/nothing", "/openapi.json"])
def test_every_answer_names_its_request(client: FlaskClient, path: str) -> None:
    drawn = client.get(path).headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", drawn)
    assert client.get(path).headers["X-Request-Id"] != drawn
    assert client.get(path, headers={"X-Request-Id": NAME}).headers["X-Request-Id"] == NAME


@pytest.mark.parametrize("more", [{}, {"nonce": "spaced"}])
def test_a_submission_without_a_name_is_named_by_its_transaction(
    client: FlaskClient, more: dict[str, str]
) -> None:
    for content in ({**PLAIN, **more}, [PLAIN, {**PLAIN, **more}]):
        answer = client.post("/chain/new", json=content)
        receipts: Any = answer.json if isinstance(answer.json, list) else [answer.json]
        assert receipts[-1]["id"].startswith(answer.headers["X-Request-Id"])


def test_a_mine_request_without_a_name_is_named_by_its_job(client: FlaskClient) -> None:
    answer = client.post("/chain/mine")
    assert answer.json
    assert answer.headers["X-Request-Id"] == answer.json["id"]


@pytest.mark.parametrize("content", [PLAIN, [PLAIN, {**PLAIN, "nonce": "second"}]])
def test_a_named_submission_is_told_with_its_block(
    ledger: Ledger, client: FlaskClient, caplog: pytest.LogCaptureFixture, content: Any
) -> None:
    caplog.set_level(logging.INFO)
    answer = client.post("/chain/new", json=content, headers={"X-Request-Id": NAME})
    assert answer.headers["X-Request-Id"] == NAME
    entries = len(content) if isinstance(content, list) else 1
    (trail,) = mine(ledger)
    assert (trail.request_id, trail.entries, trail.traceparent) == (NAME, entries, "")
    (accepted,) = fields_of(caplog, "accepted")
    assert (accepted["request_id"], accepted["entries"]) == (NAME, entries)
    tip = ledger.blocks.tip().header
    block = {"index": tip.index, "hash": tip.hash.hex()}
    assert fields_of(caplog, "mined") == [{"request_id": NAME, "entries": entries, **block}]
    assert not ledger.queue.read().tracked


def test_a_named_mine_request_is_told_with_its_block(ledger: Ledger, client: FlaskClient) -> None:
    client.get("/chain/mine", headers={"X-Request-Id": NAME})
    told = mine(ledger)
    assert [(trail.request_id, trail.entries) for trail in told] == [(NAME, 0)]


def test_each_block_is_told_with_its_job(
    ledger: Ledger, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.post("/chain/new", json=PLAIN)
    assert mine(ledger) == []
    (connected,) = fields_of(caplog, "connected")
    assert (connected["transactions"], connected["job"]) == (1, "f" * 32)


def test_a_span_is_carried_only_where_traces_are_taken(ledger: Ledger) -> None:
    headers = {"traceparent": SPAN}
    make_client(ledger).post("/chain/new", json=PLAIN, headers=headers)
    assert not ledger.queue.read().tracked
    client = make_client(ledger, asks=("HTTP_TRACEPARENT",))
    client.post("/chain/new", json=PLAIN, headers=headers)
    (trail,) = mine(ledger)
    assert trail.traceparent == SPAN


def test_where_nobody_is_followed_a_name_is_kept_all_the_same(ledger: Ledger) -> None:
    client = make_client(ledger, asks=())
    answer = client.post("/chain/new", json=PLAIN, headers={"X-Request-Id": NAME})
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (202, NAME)
    assert not ledger.queue.read().tracked


@pytest.mark.parametrize("name", ["", " ", "a" * 129, "a b", "\x7f"])
def test_a_name_that_cannot_be_used_is_refused(
    ledger: Ledger, client: FlaskClient, name: str
) -> None:
    answer = client.post("/chain/new", json=PLAIN, headers={"X-Request-Id": name})
    assert answer.status_code == 400
    assert answer.json
    assert answer.json["type"] == "urn:minequeue:problem:bad-request-id"
    assert ledger.queue.read().depth == 0


def test_the_longest_name_is_taken(client: FlaskClient) -> None:
    headers = {"X-Request-Id": "a" * 128}
    assert client.post("/chain/new", json=PLAIN, headers=headers).status_code == 202


def test_what_is_refused_is_not_followed(ledger: Ledger, client: FlaskClient) -> None:
    headers = {"X-Request-Id": NAME, "Idempotency-Key": "one"}
    client.post("/chain/new", json=PLAIN, headers=headers)
    mine_all(ledger)
    assert ledger.queue.read().tracked  # the miner of mine_all tells nobody
    ledger.tracked_requests.end([bytes.fromhex(name) for name in mined_ids(ledger)])
    other = client.post("/chain/new", json={**PLAIN, "amount": 6}, headers=headers)
    assert other.status_code == 422
    assert mine(ledger) == []


def test_who_is_rate_limited_is_not_followed(ledger: Ledger) -> None:
    text = draw_token()
    tokens = Tokens((make_entry("slow", ["submit"], text, 0, 1),))
    client = make_client(ledger, tokens=tokens)
    headers = {"X-Request-Id": NAME, "Authorization": f"Bearer {text}"}
    content = [{**PLAIN, "nonce": str(number)} for number in range(2)]
    assert client.post("/chain/new", json=content[0], headers=headers).status_code == 202
    assert client.post("/chain/new", json=content[1], headers=headers).status_code == 429
    assert [trail.request_id for trail in mine(ledger)] == [NAME]


def test_a_repeat_leaves_the_first_one_followed(ledger: Ledger, client: FlaskClient) -> None:
    content = {**PLAIN, "nonce": "same"}
    for name, key in (("first", "a"), ("second", "b")):
        headers = {"X-Request-Id": name, "Idempotency-Key": key}
        assert client.post("/chain/new", json=content, headers=headers).status_code == 202
    stranger = {"X-Request-Id": "third", "Idempotency-Key": "a"}
    other = {**PLAIN, "nonce": "other"}
    assert client.post("/chain/new", json=[other, content], headers=stranger).status_code == 422
    assert [trail.request_id for trail in mine(ledger)] == ["first"]


def test_what_is_mined_already_is_not_followed(ledger: Ledger, client: FlaskClient) -> None:
    content = {**PLAIN, "nonce": "same"}
    client.post("/chain/new", json=content)
    client.post("/chain/mine", headers={"Idempotency-Key": "block"})
    mine_all(ledger)
    client.post("/chain/new", json=content, headers={"X-Request-Id": NAME})
    client.post("/chain/mine", headers={"X-Request-Id": NAME, "Idempotency-Key": "block"})
    assert not ledger.queue.read().tracked


def test_each_is_followed_for_so_long(
    ledger: Ledger, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = {**PLAIN, "nonce": "old"}, {**PLAIN, "nonce": "new"}
    client.post("/chain/new", json=old, headers={"X-Request-Id": "old"})
    monkeypatch.setattr(following_module, "_EXPIRY_MS", -1)
    client.post("/chain/new", json=new, headers={"X-Request-Id": "new"})
    assert [trail.request_id for trail in mine(ledger)] == ["new"]


def test_so_many_are_followed_and_the_others_are_accepted_all_the_same(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "MAX_REQUESTS", 2)
    client = make_client(ledger)
    for number in range(3):
        headers = {"X-Request-Id": f"{NAME}.{number}"}
        content = {**PLAIN, "nonce": str(number)}
        assert client.post("/chain/new", json=content, headers=headers).status_code == 202
    assert [trail.request_id for trail in mine(ledger)] == [f"{NAME}.0", f"{NAME}.1"]


def test_a_fault_of_the_service_names_its_request(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(ledger)

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ledger.blocks, "tip", fail)
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get("/chain/tip", headers={"X-Request-Id": NAME})
    assert answer.status_code == 500
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.__dict__["fields"] == {"request_id": NAME}
