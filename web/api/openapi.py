"""GET /openapi.json: the OpenAPI 3.1 document, made of what the views say of themselves."""

import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.routing import Rule

from minequeue.web.guard.origins import EXEMPT
from minequeue.web.guard.tokens import SCOPES
from minequeue.web.http.scopes import scope_of
from minequeue.web.replies.answers import JSON
from minequeue.web.replies.describe import (
    Body,
    Description,
    Parameter,
    Reply,
    describe,
    description_of,
)
from minequeue.web.replies.problems import CONTENT_TYPE
from minequeue.web.replies.schemas import CONTRACT, Problem

blueprint = Blueprint("openapi", __name__)
_EXTENSION = "minequeue.openapi"
_REFS = "#/components/schemas/{name}"
_METHODS = ("GET", "POST", "DELETE")
_GUARDED = (401, 403, 429)
_WITH_BODY = {411, 413, 415}
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
_PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": "How to show a token (RFC 6750)."},
    403: {"WWW-Authenticate": "Which scope the token lacks (RFC 6750)."},
    429: {"Retry-After": "In how many seconds to come again."},
    503: {"Retry-After": "In how many seconds to come again."},
}


@blueprint.get("/openapi.json")
@describe(
    Reply(200, "This document.", {"type": "object"}, headers={"ETag": "Names its content."}),
    Reply(304, "The client has the present document."),
    parameters=[
        Parameter("If-None-Match", "header", "The ETag that the client has.", {"type": "string"})
    ],
    reads_ledger=False,
)
def read_document() -> Response:
    """The OpenAPI document of this service."""
    body, etag = current_app.extensions[_EXTENSION]
    headers = {"ETag": f'"{etag}"'}
    if request.if_none_match.contains(etag):
        return Response(status=304, headers=headers)
    return Response(body, headers=headers, content_type=JSON)


def provide_document(app: Flask) -> None:
    """Make the document of all that ``app`` serves; called when all its routes are there."""
    body = msgspec.json.encode(make_document(app))
    app.extensions[_EXTENSION] = body, sha256(body).hexdigest()


def make_document(app: Flask) -> dict[str, Any]:
    """The document as a JSON object.

    Raises:
        LookupError: a view says nothing of itself.
    """
    routes = [
        (rule, app.view_functions[rule.endpoint])
        for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule)
    ]
    types = [Problem, *(kind for _, view in routes for kind in _types_of(_read(view)))]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REFS)
    paths: dict[str, dict[str, Any]] = {}
    for rule, view in routes:
        path = _VARIABLE.sub(r"{\1}", rule.rule)
        paths.setdefault(path, {}).update(_describe_rule(rule, view, _read(view)))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "minequeue",
            "version": version("minequeue"),
            "summary": "Takes bursts of transactions into a blockchain without losing one.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Contract": CONTRACT},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of this node, where it has any; its scopes are some "
                    f"of {', '.join(SCOPES)}.",
                }
            },
        },
    }


def _read(view: Callable[..., Any]) -> Description:
    description = description_of(view)
    if description is None:
        raise LookupError(f"{view.__qualname__} has no description")
    return description


def _types_of(description: Description) -> Iterator[Any]:
    for reply in description.replies:
        yield from _types_in(reply.body)
    for kind in description.body.kinds.values() if description.body else ():
        yield from _types_in(kind)


def _types_in(schema: Any) -> Iterator[Any]:
    if isinstance(schema, type):
        yield schema
    elif isinstance(schema, Mapping):
        for value in schema.values():
            yield from _types_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _types_in(value)


def _describe_rule(rule: Rule, view: Any, description: Description) -> dict[str, Any]:
    methods = [method for method in _METHODS if method in (rule.methods or ())]
    return {
        method.lower(): _describe_operation(rule, method, view, description) for method in methods
    }


def _describe_operation(
    rule: Rule, method: str, view: Any, description: Description
) -> dict[str, Any]:
    scope = scope_of(view)
    name = f"{rule.endpoint}_{method}_{rule.rule}".lower()
    operation: dict[str, Any] = {
        "operationId": re.sub(r"[^a-z0-9]+", "_", name).strip("_"),
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": (view.__doc__ or "").partition("\n")[0],
        "parameters": [_describe_parameter(each) for each in description.parameters],
        "responses": _describe_answers(description, *_always_refused(rule, scope)),
    }
    if description.body and method == "POST":
        operation["requestBody"] = _describe_body(description.body)
    if scope:
        # or none: a node without tokens lets everybody pass
        operation["security"] = [{"token": [scope]}, {}]
    return operation


def _describe_parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.is_required or parameter.where == "path",
        "description": parameter.text,
        "schema": dict(parameter.schema),
    }
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _describe_body(body: Body) -> dict[str, Any]:
    content = {media: {"schema": _as_schema(kind)} for media, kind in body.kinds.items()}
    if body.example is not None:
        next(iter(content.values()))["example"] = body.example
    return {"required": True, "description": body.text, "content": content}


def _always_refused(rule: Rule, scope: str | None) -> Iterator[int]:
    """The statuses of what is decided before the view is asked."""
    if scope:
        yield from _GUARDED
    if not rule.rule.startswith(EXEMPT):
        yield HTTPStatus.MISDIRECTED_REQUEST


def _describe_answers(description: Description, *always: int) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for reply in description.replies:
        answers[str(reply.status)] = _describe_reply(reply)
    statuses = {*description.problems, *always}
    if description.body:
        statuses |= _WITH_BODY
    if description.reads_ledger:
        statuses.add(503)
    for status in sorted(statuses):
        answers[str(status)] = _describe_reply(
            Reply(
                status,
                f"{HTTPStatus(status).phrase}; the problem's type and detail say what to change.",
                Problem,
                CONTENT_TYPE,
                _PROBLEM_HEADERS.get(status, {}),
            )
        )
    return answers


def _describe_reply(reply: Reply) -> dict[str, Any]:
    described: dict[str, Any] = {"description": reply.text}
    if reply.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in reply.headers.items()
        }
    if reply.body is not None:
        described["content"] = {reply.media: {"schema": _as_schema(reply.body)}}
    return described


def _as_schema(kind: Any) -> Any:
    """A JSON Schema in which each type is a reference to its own."""
    if isinstance(kind, type):
        return {"$ref": _REFS.format(name=kind.__name__)}
    if isinstance(kind, Mapping):
        return {name: _as_schema(value) for name, value in kind.items()}
    if isinstance(kind, list):
        return [_as_schema(value) for value in kind]
    return kind
