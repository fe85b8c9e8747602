"""Bodies of requests: whole, with a length, within the bound, or nothing of them counts."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger
from minequeue.web.aws.http import make_http
from tests.lambda_events import balancer_request
from tests.web_clients import PLAIN, make_client

KINDS = ["application/json", "application/json; charset=utf-8", "application/x-ndjson"]
BODY = json.dumps(PLAIN).encode()


def _post(
    client: FlaskClient,
    sent: bytes,
    kind: str,
    length: int | str,
    path: str = "/chain/new",
    **headers: str,
) -> Any:
    """Post ``sent`` as if it had so many bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = {"CONTENT_LENGTH": str(length)}
    return client.post(path, data=sent, content_type=kind, headers=named, environ_overrides=said)


def _slug(answer: Any) -> str:
    return str(json.loads(answer.data)["type"].rpartition(":")[2])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, len(BODY)])
def test_fewer_bytes_than_the_length_are_no_request(
    ledger: Ledger, client: FlaskClient, kind: str, missing: int
) -> None:
    answer = _post(client, BODY, kind, len(BODY) + missing)
    assert (answer.status_code, _slug(answer)) == (400, "incomplete-body")
    assert f"{len(BODY)} of {len(BODY) + missing} bytes" in json.loads(answer.data)["detail"]
    assert ledger.queue.read().pending == 0
    assert _post(client, BODY, kind, len(BODY)).status_code == 202


def test_what_names_nodes_is_whole_as_well(client: FlaskClient) -> None:
    sent = json.dumps({"nodes": ["http://127.0.0.1:3001"]}).encode()
    answer = _post(client, sent, "application/json", len(sent) + 1, "/nodes/register")
    assert (answer.status_code, _slug(answer)) == (400, "incomplete-body")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("headers", [{}, {"Transfer_Encoding": "chunked"}])
def test_a_body_without_a_length_is_refused(
    ledger: Ledger, client: FlaskClient, kind: str, headers: dict[str, str]
) -> None:
    answer = _post(client, BODY, kind, "", **headers)
    assert (answer.status_code, _slug(answer)) == (411, "length-required")
    assert "Content-Length" in json.loads(answer.data)["detail"]
    assert ledger.queue.read().pending == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("br", 415), ("Identity", 202)])
def test_a_compressed_body_is_refused_as_such(
    client: FlaskClient, kind: str, coding: str, status: int
) -> None:
    answer = _post(client, BODY, kind, len(BODY), Content_Encoding=coding)
    assert answer.status_code == status
    if status == 415:
        assert answer.headers["Accept-Encoding"] == "identity"


def test_an_event_of_aws_is_whole_however_its_client_sent_it(ledger: Ledger) -> None:
    answer = make_http(make_client(ledger).application)
    event = balancer_request(
        "POST", "/chain/new", PLAIN, host="localhost", transfer_encoding="chunked"
    )
    assert answer(event, None)["statusCode"] == 202
