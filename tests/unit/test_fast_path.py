"""The fast path answers as the view does, and stands aside where it must."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from flask import Response, abort
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger, Submission, SubmitResult
from minequeue.web.fast_path import FastPath
from tests.web_clients import make_client

PLAIN = {"sender": "alice", "recipient": "bob", "amount": 5, "nonce": "n"}
THROUGH_FLASK = "application/json; charset=utf-8"


class FlaskWasAsked(Exception):
    """Raised instead of an answer by Flask."""


def _find_fast_path(client: FlaskClient) -> Any:
    way = client.application.wsgi_app._app  # type: ignore[attr-defined]  # what checks the host
    assert isinstance(way, FastPath)
    return way


def _take_flask_away(client: FlaskClient) -> None:
    def fail(*_: Any) -> Any:
        raise FlaskWasAsked

    _find_fast_path(client)._flask = fail


def test_a_plain_transaction_is_answered_without_flask(ledger: Ledger, client: FlaskClient) -> None:
    _take_flask_away(client)
    assert client.post("/chain/new", json=PLAIN).status_code == 202
    assert ledger.queue.read().pending == 1


def test_the_answer_is_that_of_the_view(client: FlaskClient) -> None:
    short = client.post("/chain/new", json=PLAIN)
    long = client.post("/chain/new", data=json.dumps(PLAIN), content_type=THROUGH_FLASK)
    assert short.status == long.status == "202 ACCEPTED"
    assert short.data == long.data
    known = [answer.headers.pop("Known-Transactions") for answer in (short, long)]
    assert known == ["0", "1"]
    assert sorted(short.headers) == sorted(long.headers)


@pytest.mark.parametrize(
    "request_",
    [
        {"data": json.dumps({**PLAIN, "contract": 1}), "content_type": "application/json"},
        {"data": b"{oops", "content_type": "application/json"},
        {"data": b"", "content_type": "application/json"},
        {"json": {**PLAIN, "recipient": "é"}},
        {"json": [PLAIN]},
        {"json": PLAIN, "headers": {"Idempotency-Key": "k"}},
        {"json": PLAIN, "headers": {"Transfer-Encoding": "chunked"}},
        {"data": json.dumps(PLAIN) + " " * 4096, "content_type": "application/json"},
        {"data": json.dumps(PLAIN), "content_type": THROUGH_FLASK},
        {"data": json.dumps(PLAIN), "content_type": "application/x-ndjson"},
        {"json": PLAIN, "method": "PUT"},
        {"json": PLAIN, "path": "/chain/mine"},
    ],
)
def test_whatever_is_unusual_goes_to_flask_with_its_body(
    client: FlaskClient, request_: dict[str, Any]
) -> None:
    bodies: list[bytes] = []

    def keep_body(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return []

    _find_fast_path(client)._flask = keep_body
    client.open(**{"path": "/chain/new", "method": "POST", **request_})
    data = request_.get("data")
    if data is None:
        assert [json.loads(body) for body in bodies] == [request_["json"]]
    else:
        assert bodies == [data.encode() if isinstance(data, str) else data]


def test_a_hook_that_refuses_is_not_passed_by(ledger: Ledger, client: FlaskClient) -> None:
    client.application.before_request(lambda: abort(401))
    assert client.post("/chain/new", json=PLAIN).status_code == 401
    assert ledger.queue.read().pending == 0


def test_a_hook_on_answers_is_not_passed_by(client: FlaskClient) -> None:
    def mark(response: Response) -> Response:
        response.headers["Seen"] = "yes"
        return response

    client.application.after_request(mark)
    assert client.post("/chain/new", json=PLAIN).headers["Seen"] == "yes"


def test_a_fault_of_ours_is_a_problem_and_not_a_broken_connection(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Sequence[Submission]) -> list[SubmitResult]:
        raise ZeroDivisionError

    monkeypatch.setattr(ledger.mempool, "submit", fail)
    client = make_client(ledger)
    answer = client.post("/chain/new", json=PLAIN)
    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
