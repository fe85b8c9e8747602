"""JSON as minequeue accepts it: RFC 8259 in UTF-8, and nothing that two readers could read apart.

Refused, though Python's own reader takes them: duplicate keys, NaN and Infinity, and deep nesting.
Legal JSON passes here: fractions and integers that not every reader holds exactly are refused by
:mod:`chain.protocol.transaction`, and lone surrogates by :mod:`minequeue.chain.protocol.canonical`.

All JSON from outside is read here, by :func:`loads` or by what :func:`make_reader` makes: every
decoder is recursive, so the depth is bounded before one sees the text.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias, TypeVar

import msgspec

from minequeue.chain.errors import MalformedJson

Json: TypeAlias = dict[str, Any] | list[Any] | str | int | float | None
T = TypeVar("T")

MAX_INTEGER = 2**53 - 1  # the largest integer that every JSON reader holds exactly (RFC 8785)
MAX_DEPTH = 24  # the answer of GET /chain with a contract of 16 levels needs 21
_MAX_DIGITS = 20  # of an integer that is read exactly; the proof of a header may have so many
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_STRING = re.compile(b'"[^"]*"?')
_TOO_DEEP = b"[" * (MAX_DEPTH + 1)


def loads(raw: bytes) -> Json:
    """Read one JSON text.

    Raises:
        MalformedJson: the text is not JSON as described above; the message says where or why.
    """
    validate_depth(raw)
    try:
        value: Json = json.loads(raw.decode("utf-8"), **_HOOKS)
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The body is not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"The body is not JSON: {error}.") from None
    return value


def make_reader(kind: type[T]) -> Callable[[bytes], T]:
    """Make what reads JSON texts as values of ``kind``, and raises MalformedJson for all others."""
    decode = msgspec.json.Decoder(kind).decode

    def read(raw: bytes) -> T:
        validate_depth(raw)
        try:
            return decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise MalformedJson(f"The body does not fit: {error}.") from None

    return read


def validate_depth(raw: bytes) -> None:
    """See that ``raw``, JSON or not, is nested at most :data:`MAX_DEPTH` levels deep.

    Raises:
        MalformedJson: it is deeper.
    """
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    # first the strings without a bracket, which are nearly all
    brackets = raw.translate(_BRACKETS, _OTHERS).replace(b'""', b"")
    brackets = _STRING.sub(b"", brackets)
    for _ in range(MAX_DEPTH):
        if _TOO_DEEP in brackets:  # soon seen, where peeling would take long
            break
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    # ends before beginnings are left where the text is no JSON, which its decoder will say
    if b"[]" in brackets or _TOO_DEEP in brackets:
        raise too_deep()


def too_deep() -> MalformedJson:
    """The text, or what it was made of, is nested too deep."""
    return MalformedJson(f"The body is nested more than {MAX_DEPTH} levels deep; flatten it.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() is called to remember
        raise MalformedJson(f"The key {double[:80]!r} is in one object twice; give it once.")
    return members


def _integer(digits: str) -> int | float:
    # converting thousands of digits is quadratic, and Python refuses 4,300
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _no_constant(text: str) -> NoReturn:
    raise MalformedJson(f"The body is not JSON: {text} is not a JSON number.")


_HOOKS: dict[str, Any] = {
    "object_pairs_hook": _object,
    "parse_int": _integer,
    "parse_constant": _no_constant,
}
