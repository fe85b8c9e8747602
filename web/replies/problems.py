"""Errors as problem details (RFC 9457): a stable type, and a sentence that says what to change."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask, Response
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound

from minequeue.chain import errors

CONTENT_TYPE = "application/problem+json"
# what a client reads; the sentence of any other error is its own, and names what is wrong
_SENTENCES: dict[type[errors.MinequeueError], str] = {
    errors.QueueFull: "The queue is full; repeat the same request later.",
    errors.IdempotencyKeyReused: "This Idempotency-Key was used with another body; use a new key "
    "for a new request.",
    errors.LedgerUnavailable: "The database is not responding. What you sent may not have been "
    "saved; repeat the request, with the same Idempotency-Key if it has one.",
}
_RETRIED = frozenset({429, 503})  # told when to come again
# seconds, as the header has them: a restart of the server takes two, and a full queue is shorter by
# a block, most readers and writers done, whatever the block interval is
_RETRY_AFTER_S = "5"
_OF_ERRORS: dict[type[errors.MinequeueError], tuple[int, str, str]] = {
    errors.MalformedJson: (400, "malformed-json", "Malformed JSON"),
    errors.InvalidTransaction: (400, "invalid-transaction", "Invalid transaction"),
    errors.SignatureRequired: (400, "signature-required", "Signature required"),
    errors.InvalidPeer: (400, "invalid-peer", "Invalid peer"),
    errors.ForbiddenPeer: (403, "peer-not-allowed", "Peer not allowed"),
    errors.TooManyPeers: (409, "too-many-peers", "Too many peers"),
    errors.IdempotencyKeyReused: (422, "idempotency-key-reused", "Idempotency-Key reused"),
    errors.QueueFull: (429, "queue-full", "Queue full"),
    errors.LedgerUnavailable: (503, "ledger-unavailable", "Ledger unavailable"),
}


class Problem(Exception):  # an answer, named as the RFC names it
    """An answer that says what is wrong with the request.

    Attributes:
        slug: the stable name, the last part of ``type``.
        headers: to be sent with it; where it is worth to come again, with when, which the problem
            may say itself.
        more: members beside those of the RFC.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        default = {"Retry-After": _RETRY_AFTER_S} if status in _RETRIED else {}
        self.headers = {**default, **(headers or {})}
        self.more = more

    def to_dict(self) -> dict[str, Any]:
        """The members of the problem's JSON object."""
        return {
            "type": f"urn:minequeue:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
            **self.more,
        }

    def as_response(self) -> Response:
        """The whole answer."""
        return Response(
            msgspec.json.encode(self.to_dict()),
            self.status,
            headers=self.headers,
            content_type=CONTENT_TYPE,
        )


def bad_parameter(name: str, detail: str) -> Problem:
    """A query parameter or part of the path that cannot be used."""
    return Problem(400, "bad-parameter", "Bad parameter", detail, parameter=name)


def not_found(detail: str) -> Problem:
    """There is no such thing here."""
    return Problem(404, "not-found", "Not found", detail)


def too_large(detail: str) -> Problem:
    """The body holds more than the service takes at once."""
    return Problem(413, "content-too-large", "Content too large", detail)


def of_error(error: errors.MinequeueError) -> Problem:
    """The problem that an error of the chain is to a client."""
    kind = next((kind for kind in type(error).__mro__ if kind in _OF_ERRORS), None)
    if kind is None:
        raise error
    status, slug, title = _OF_ERRORS[kind]
    problem = Problem(status, slug, title, _SENTENCES.get(type(error), str(error)))
    if isinstance(error, errors.InvalidTransaction) and error.field:
        problem.more["field"] = error.field
    return problem


def register_problems(app: Flask, count: Callable[[str], None]) -> None:
    """Answer every error of ``app`` as a problem, and count it by its name."""

    @app.errorhandler(Problem)
    def answer_problem(problem: Problem) -> Response:
        count(problem.slug)
        return problem.as_response()

    @app.errorhandler(errors.MinequeueError)
    def answer_error(error: errors.MinequeueError) -> Response:
        return answer_problem(of_error(error))

    @app.errorhandler(HTTPException)
    def answer_http_error(error: HTTPException) -> Response:
        return answer_problem(of_http_error(error))


def of_http_error(error: HTTPException) -> Problem:
    """Flask's and werkzeug's own refusals: unknown paths, wrong methods, faults."""
    if isinstance(error, NotFound):
        return not_found("Page not found. See /docs for all paths.")
    status = error.code or 500
    detail = error.description or "The request cannot be served."
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
        detail = f"This path accepts only {headers['Allow']}."
    if isinstance(error, InternalServerError):
        detail = "Internal error. Report it to the operator, with the X-Request-Id of this answer."
    slug = error.name.lower().replace(" ", "-")
    return Problem(status, slug, error.name, detail, headers=headers)
