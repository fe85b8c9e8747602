"""The OpenAPI document is valid, and says of every route what it is."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from minequeue.chain.ledger import RedisClient
from minequeue.web.http.scopes import scope_of
from tests.ledgers import make_ledger
from tests.web_clients import PLAIN, make_client


@pytest.fixture
def client(redis_client: RedisClient) -> FlaskClient:
    return make_client(make_ledger(redis_client))


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").get_json()
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_is_in_the_document_and_nothing_else(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == served


def test_every_operation_has_a_name_and_a_sentence(document: dict[str, Any]) -> None:
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"].endswith((".", "?")) for operation in operations)


def test_what_needs_a_token_says_so(client: FlaskClient, document: dict[str, Any]) -> None:
    views = client.application.view_functions
    for rule in client.application.url_map.iter_rules():
        scope = scope_of(views[rule.endpoint])
        item = document["paths"][re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)]
        for operation in item.values():
            assert operation.get("security") == ([{"token": [scope]}, {}] if scope else None)
            assert ("401" in operation["responses"]) == bool(scope)


def test_the_document_has_an_etag(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_examples_of_bodies_are_accepted(client: FlaskClient, document: dict[str, Any]) -> None:
    body = document["paths"]["/chain/new"]["post"]["requestBody"]["content"]["application/json"]
    assert client.post("/chain/new", json=body["example"]).status_code == 202
    assert PLAIN.keys() == body["example"].keys()


def test_the_viewer_asks_nobody_else(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.content_type.startswith("text/html")
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"].partition("style")[0]
    for name in re.findall(r'(?:src|href)="(/docs/[^"]+)"', page.text):
        answer = client.get(name)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
    assert client.get("/docs/other.js").status_code == 404
