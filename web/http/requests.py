"""Reading a request, within bounds: method, body, Idempotency-Key, preferences, parameters."""

import re
from functools import partial
from typing import IO, TYPE_CHECKING

from flask import request
from werkzeug.exceptions import MethodNotAllowed

from minequeue.web.http.scopes import CALLER
from minequeue.web.replies.answers import JSON
from minequeue.web.replies.problems import Problem, bad_parameter, too_large
from minequeue.web.services import services

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

NDJSON = "application/x-ndjson"
_KINDS = {JSON: JSON, NDJSON: f"{NDJSON} for one JSON text per line"}
MAX_KEY = 255  # characters of an Idempotency-Key
_DISCARD_FACTOR = 2  # so many times the largest body is read of one that is refused
_PART_BYTES = 64 * 1024
_PLAIN = "identity"  # the coding of a body that is not compressed
_MAX_DIGITS = 15  # of a number in a query or path; more cannot be meant
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE | re.ASCII)


def validate_method() -> None:
    """See that the request is no HEAD, which werkzeug adds to GET: a look must not make work.

    Raises:
        MethodNotAllowed: it is one.
    """
    if request.method == "HEAD":
        raise MethodNotAllowed(["GET", "POST"])


def read_kind(*kinds: str) -> str:
    """Which of ``kinds``, JSON and NDJSON, the body is by its content type.

    Raises:
        Problem: it is none of them.
    """
    kind: str = request.environ.get("CONTENT_TYPE", "")
    if kind not in kinds:
        kind = request.mimetype  # without parameters and in lower case
    if kind not in kinds:
        raise Problem(
            415,
            "unsupported-media-type",
            "Unsupported media type",
            f"Send Content-Type: {', or '.join(_KINDS[each] for each in kinds)}.",
            headers={"Accept": ", ".join(kinds)},
        )
    return kind


def read_body(limit: int) -> bytes:
    """The whole body of at most ``limit`` bytes, as it was sent.

    Raises:
        Problem: it is larger, encoded, without a length or not whole, or there is no free slot to
            read it in.
    """
    return services().body_slots.read(partial(_read_body, request.environ, limit))


def _read_body(environ: "WSGIEnvironment", limit: int) -> bytes:
    try:
        _validate_head(environ, limit)
    except Problem:
        # a client that is still sending when its connection is closed would not see the answer
        _discard(environ["wsgi.input"], _DISCARD_FACTOR * limit)
        raise
    return read_whole(environ)


def _validate_head(environ: "WSGIEnvironment", limit: int) -> None:
    """See by the head of a request that its body can be read."""
    if environ.get("HTTP_CONTENT_ENCODING", _PLAIN).strip().lower() != _PLAIN:
        raise Problem(
            415,
            "unsupported-media-type",
            "Unsupported media type",
            "The body is compressed; send it without Content-Encoding.",
            headers={"Accept-Encoding": _PLAIN},
        )
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    size = None if chunked else parse_number(environ.get("CONTENT_LENGTH", ""))
    if size is None:
        raise Problem(
            411,
            "length-required",
            "Length required",
            "Send the body with a Content-Length and not in chunks (with curl: --data-binary @FILE "
            "and not --upload-file). Otherwise a broken connection looks like the end of the body.",
        )
    if size > limit:
        raise too_large(f"The body is larger than {limit} bytes; send it in parts.")


def read_whole(environ: "WSGIEnvironment") -> bytes:
    """The body, which has a Content-Length and is not chunked.

    The server's read gives nothing at the end of a body and when the connection breaks off alike,
    so the length alone tells whether the body is whole. Not by werkzeug, which passes a part on.

    Raises:
        Problem: fewer bytes came.
    """
    stream: IO[bytes] = environ["wsgi.input"]
    length = missing = int(environ["CONTENT_LENGTH"])
    parts: list[bytes] = []
    while missing > 0 and (part := stream.read(min(missing, _PART_BYTES))):
        parts.append(part)
        missing -= len(part)
    if missing:
        raise Problem(
            400,
            "incomplete-body",
            "Incomplete body",
            f"The body ended after {length - missing} of {length} bytes, so nothing of it was "
            "accepted; repeat the whole request.",
        )
    return b"".join(parts)


def _discard(stream: IO[bytes], most: int) -> None:
    while most > 0 and (part := stream.read(_PART_BYTES)):
        most -= len(part)


def read_idempotency_key() -> tuple[str | None, str | None]:
    """The Idempotency-Key in the space of the request's token, and without it; None for none.

    A node without tokens has one space. So had the first version with tokens, and what came with a
    key then is still to be found by it.

    Raises:
        Problem: it is empty, too long, or not printable ASCII.
    """
    key: str | None = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not is_key(key):
        raise bad_key()
    token = request.environ.get(CALLER)
    # neither a token's name nor a key has the character between them
    return (key, None) if key is None or token is None else (f"{token}\0{key}", key)


def is_key(text: str) -> bool:
    """Whether ``text`` can be an Idempotency-Key."""
    return 1 <= len(text) <= MAX_KEY and text.isascii() and text.isprintable()


def bad_key() -> Problem:
    """The Idempotency-Key cannot be one."""
    return Problem(
        400,
        "bad-idempotency-key",
        "Bad Idempotency-Key",
        f"An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters.",
    )


def read_wait_s() -> int | None:
    """The seconds of ``Prefer: wait`` (RFC 7240), None where it is absent or not a number."""
    found = _WAIT.search(",".join(request.headers.getlist("Prefer")))
    return int(found[1]) if found else None


def read_number(name: str, default: int, *, least: int, most: int) -> int:
    """The query parameter ``name``, an integer between the bounds.

    Raises:
        Problem: it is something else.
    """
    text = request.args.get(name)
    if text is None:
        return default
    number = parse_number(text)
    if number is None or not least <= number <= most:
        raise bad_parameter(name, f"{name} must be an integer from {least} to {most}.")
    return number


def parse_number(text: str) -> int | None:
    """The non-negative integer that ``text`` is in plain digits, or None."""
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        return int(text)
    return None


def parse_hex(text: str, size: int) -> bytes | None:
    """The ``size`` bytes that ``text`` is in lower-case hex, or None."""
    if re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text):
        return bytes.fromhex(text)
    return None
