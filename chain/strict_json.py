"""JSON as minequeue accepts it: RFC 8259 in UTF-8, and nothing that two readers could read apart.

Refused, though Python's own reader takes them: duplicate keys, NaN and Infinity, fractions and
exponents, integers beyond 2^53-1 and deep nesting. Lone surrogates pass here, since they are
legal JSON; :mod:`chain.canonical` refuses them when it encodes.
"""

import json
from typing import Any, NoReturn, TypeAlias

from chain.errors import MalformedJson

Json: TypeAlias = dict[str, Any] | list[Any] | str | int | None

MAX_INTEGER = 2**53 - 1  # the largest integer that every JSON reader holds exactly (RFC 8785)
MAX_DEPTH = 20  # a batch of transactions with contracts of 16 levels needs 18
_MAX_DIGITS = len(str(MAX_INTEGER))


def loads(raw: bytes) -> Json:
    """Read one JSON text.

    Raises:
        MalformedJson: the text is not JSON as described above; the message says where or why.
    """
    try:
        value: Json = json.loads(raw.decode("utf-8"), **_HOOKS)
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The body is not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() is called to remember
        raise MalformedJson(f"The key {double[:80]!r} stands twice in one object; give it once.")
    return members


def _integer(digits: str) -> int:
    # the length first: converting thousands of digits is quadratic, and Python refuses 4,300
    if len(digits.lstrip("-")) > _MAX_DIGITS or abs(int(digits)) > MAX_INTEGER:
        raise MalformedJson(f"An integer is beyond 2^53-1 ({MAX_INTEGER}); numbers must be exact.")
    return int(digits)


def _no_fraction(text: str) -> NoReturn:
    raise MalformedJson(
        f"{text[:40]} is written as a fraction; amounts are integers in the smallest unit."
    )


def _no_constant(text: str) -> NoReturn:
    raise MalformedJson(f"{text} is not JSON; numbers must be integers.")


_HOOKS: dict[str, Any] = {
    "object_pairs_hook": _object,
    "parse_int": _integer,
    "parse_float": _no_fraction,
    "parse_constant": _no_constant,
}


def _check_depth(value: Json) -> None:
    # level by level, not recursively: the reader of newer Pythons goes deeper than their stack
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, (dict, list))]
    if isinstance(value, list):
        return [child for child in value if isinstance(child, (dict, list))]
    return []


def _too_deep() -> MalformedJson:
    return MalformedJson(f"The body is nested more than {MAX_DEPTH} levels deep; flatten it.")
