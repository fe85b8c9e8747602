"""Answers in JSON, which go to the server as they are."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

JSON = "application/json"
_encode = msgspec.json.Encoder().encode


class Answer(Response):
    """An answer whose body and headers are complete.

    werkzeug would look through the headers again at the end, and hand the body on as an iterator
    that the server has to stream; together that takes as long as all the rest of a submission.
    """

    def __init__(
        self,
        body: bytes,
        status: int,
        headers: Iterable[tuple[str, str]] = (),
        content_type: str = JSON,
    ) -> None:
        super().__init__(
            None,
            status,
            [
                ("Content-Type", content_type),
                ("Content-Length", str(len(body))),
                *headers,
            ],
        )
        self.response = self._whole = [body]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Give it to the server, to HEAD without its body."""
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self._whole


def answer_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer ``value`` as JSON."""
    return Answer(_encode(value), status, (headers or {}).items())
