"""Parameters that several views take, as they describe them."""

from minequeue.web.http import request_ids
from minequeue.web.http.requests import MAX_KEY
from minequeue.web.replies.describe import Parameter

MAX_PAGE = 1000  # blocks or headers

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    "Name of the request: a repetition gets the same answer, for at least 24 hours.",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
    "order-17",
)
PREFER = Parameter(
    "Prefer",
    "header",
    "`wait=N` delays the answer for up to N seconds, until there is a result (RFC 7240).",
    {"type": "string"},
    "wait=10",
)
REQUEST_ID = Parameter(
    request_ids.HEADER,
    "header",
    "The client's name of the request; the answer and the log have it, also with its block.",
    {"type": "string", "minLength": 1, "maxLength": request_ids.MAX_LENGTH, "pattern": "^[!-~]+$"},
    "checkout-17",
)
IF_NONE_MATCH = Parameter(
    "If-None-Match",
    "header",
    "ETag of the client's copy.",
    {"type": "string"},
)


def page(most: int) -> list[Parameter]:
    """The two that name a page."""
    return [
        Parameter("from", "query", "The first block's index.", {"type": "integer", "minimum": 1}),
        Parameter(
            "limit", "query", "Maximum number.", {"type": "integer", "minimum": 1, "maximum": most}
        ),
    ]


def in_path(name: str, text: str, pattern: str, example: str) -> Parameter:
    """A part of the path."""
    return Parameter(name, "path", text, {"type": "string", "pattern": pattern}, example)
