"""X-Request-Id: every answer names its request, and the name leads to the block.

The client's own name is kept. Else a request is named by what it made: the first half of its last
transaction's id, or its job; so nothing has to be carried for the name to lead somewhere.
"""

import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request

from minequeue.web.intake.nonces import NonceSource
from minequeue.web.replies.problems import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-Id"
GIVEN = "HTTP_X_REQUEST_ID"  # in the WSGI environment: the client's name
MAX_LENGTH = 128  # characters
DIGITS = 32  # of an id that names a request
_MADE = "minequeue.request_id"  # in it: the name by what it made
_GOOD = re.compile(rf"[!-~]{{1,{MAX_LENGTH}}}", re.ASCII)
_drawn = NonceSource()


def name_by(environ: "WSGIEnvironment", made: str) -> str:
    """The request's name, which is ``made`` where the client gave none."""
    environ[_MADE] = made
    return name_of(environ)


def name_of(environ: "WSGIEnvironment") -> str:
    """The request's name; drawn where nothing else names it."""
    given: str = environ.get(GIVEN, "")
    if _GOOD.fullmatch(given):
        return given
    if _MADE not in environ:
        environ[_MADE] = _drawn.draw()
    made: str = environ[_MADE]
    return made


def validate(environ: "WSGIEnvironment") -> None:
    """See that the client's name can be used.

    Raises:
        Problem: it cannot.
    """
    if GIVEN in environ and not _GOOD.fullmatch(environ[GIVEN]):
        raise Problem(
            400,
            "bad-request-id",
            f"Bad {HEADER}",
            f"{HEADER} must have 1 to {MAX_LENGTH} visible ASCII characters; it may be left out.",
        )


def name_request(record: logging.LogRecord) -> bool:
    """Let a logger's record pass, with the name of the request that it is about."""
    if has_request_context():
        record.fields = {"request_id": name_of(request.environ)}
    return True


class Named:
    """Stands before an app, and adds the name to each answer."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, (HEADER, name_of(environ))], *more)

        return self._app(environ, start)
