"""Idempotency-Keys are a token's own; what came before with a key alone is still known."""

from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger
from minequeue.chain.protocol.transaction import accept_submission
from minequeue.web.guard.tokens import Tokens, draw_token, make_entry
from tests.ledgers import mine_all, mined_ids
from tests.web_clients import PLAIN, make_client

TEXTS = {name: draw_token() for name in ("alice", "bob", "slow")}
TOKENS = Tokens(
    tuple(
        make_entry(name, ["submit", "mine"], TEXTS[name], 0, 3 if name == "slow" else 0)
        for name in TEXTS
    )
)
BODIES: dict[str, Any] = {
    "one": {"json": PLAIN},
    "array": {"json": [PLAIN, {**PLAIN, "amount": 6}]},
    "lines": {
        "data": b'{"sender":"a","recipient":"b","amount":1}\n' * 2,
        "content_type": "application/x-ndjson",
    },
}


@pytest.fixture
def client(ledger: Ledger) -> FlaskClient:
    return make_client(ledger, tokens=TOKENS)


@pytest.fixture
def before(ledger: Ledger) -> FlaskClient:
    """As the first version with tokens, and as any without: keys have one space."""
    return make_client(ledger)


def _headers(who: str, key: str) -> dict[str, str]:
    shown = {"Authorization": f"Bearer {TEXTS[who]}"} if who else {}
    return {**shown, "Idempotency-Key": key}


def _pay(client: FlaskClient, who: str, body: Any, key: str = "key") -> list[str]:
    answer = client.post("/chain/new", headers=_headers(who, key), **body)
    assert answer.status_code == 202, answer.get_json()
    found = answer.get_json()
    return [one["id"] for one in (found if isinstance(found, list) else [found])]


def _mine(client: FlaskClient, who: str, key: str = "key") -> str:
    answer = client.post("/chain/mine", headers=_headers(who, key))
    assert answer.status_code == 202
    job: str = answer.get_json()["id"]
    return job


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_equal_keys_and_bodies_of_two_tokens_are_two_payments(
    client: FlaskClient, ledger: Ledger, body: Any
) -> None:
    hers, his = _pay(client, "alice", body), _pay(client, "bob", body)
    assert set(hers).isdisjoint(his)
    assert _pay(client, "alice", body) == hers
    assert _pay(client, "bob", body) == his
    mine_all(ledger)
    assert sorted(mined_ids(ledger)) == sorted(hers + his)


def test_a_key_that_another_token_took_first_is_free(client: FlaskClient) -> None:
    _pay(client, "alice", BODIES["one"])
    other = {"json": {**PLAIN, "amount": 7}}
    assert _pay(client, "bob", other) == _pay(client, "bob", other)
    answer = client.post("/chain/new", headers=_headers("alice", "key"), **other)
    assert answer.status_code == 422


def test_equal_mine_keys_of_two_tokens_are_two_blocks(client: FlaskClient, ledger: Ledger) -> None:
    jobs = [_mine(client, who) for who in ("alice", "bob", "alice", "bob")]
    assert jobs[:2] == jobs[2:]
    assert len(set(jobs)) == 2
    mine_all(ledger)
    assert ledger.blocks.tip().header.index == 3


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_came_with_the_key_alone_is_paid_once_when_it_comes_with_a_token(
    before: FlaskClient, client: FlaskClient, ledger: Ledger, body: Any
) -> None:
    ids = _pay(before, "", body)
    assert _pay(client, "alice", body) == ids
    mine_all(ledger)
    assert _pay(client, "alice", body) == ids
    assert ledger.queue.read().depth == 0


def test_a_key_known_alone_does_not_keep_a_token_from_another_request(
    before: FlaskClient, client: FlaskClient, ledger: Ledger
) -> None:
    first = _pay(before, "", BODIES["one"])
    second = _pay(client, "alice", BODIES["array"])
    assert second == _pay(client, "alice", BODIES["array"])
    mine_all(ledger)
    assert sorted(mined_ids(ledger)) == sorted(first + second)


def test_a_job_that_came_with_the_key_alone_is_the_same_with_a_token(
    before: FlaskClient, client: FlaskClient, ledger: Ledger
) -> None:
    job = _mine(before, "")
    assert _mine(client, "alice") == job
    mine_all(ledger)
    assert _mine(client, "alice") == job
    assert ledger.queue.read().depth == 0


def test_a_request_that_is_looked_for_under_both_names_is_counted_once(
    before: FlaskClient, client: FlaskClient
) -> None:
    _pay(before, "", BODIES["one"])
    assert len(_pay(client, "slow", BODIES["array"])) == 2
    assert len(_pay(client, "slow", BODIES["one"], "another")) == 1  # three a second


def test_a_request_that_is_followed_is_followed_under_the_name_that_it_has(
    before: FlaskClient, client: FlaskClient
) -> None:
    [own] = _pay(before, "", BODIES["one"])
    headers = {**_headers("alice", "key"), "X-Request-Id": "mine"}
    answer = client.post("/chain/new", headers=headers, **BODIES["one"])
    assert (answer.get_json()["id"], answer.headers["X-Request-Id"]) == (own, "mine")


def test_without_tokens_ids_and_jobs_are_those_of_the_first_version(before: FlaskClient) -> None:
    nonce = sha256(b"0:fixed").hexdigest()[:32]
    assert _pay(before, "", BODIES["one"], "fixed") == [accept_submission(PLAIN, lambda: nonce).id]
    assert _mine(before, "", "fixed") == sha256(b"mine:fixed").hexdigest()[:32]
