"""What a setting may be: from the text of a variable to its value, and back.

Each reader raises ValueError, which says what may stand there; whose setting it is, only
:mod:`compose.config.settings` knows.
"""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from minequeue.chain.peers.names import is_host_name
from minequeue.compose.text.file import drop_mark
from minequeue.web.guard.tokens import Tokens

PENDING_BYTES = str(512 * 2**20)  # that may wait, where their number alone is given
_MAX_MINERS = 10_000
_MAX_WORD = 128
_ANSWERS = ("no", "yes")
T = TypeVar("T")


def _number(least: float, most: float, kind: Callable[[str], T]) -> Callable[[str], T]:
    def read(text: str) -> T:
        value = kind(text)
        if not least <= value <= most:  # type: ignore[operator]  # int or float
            raise ValueError(f"between {least} and {most}")
        return value

    return read


def integer(least: int, most: int) -> Callable[[str], int]:
    """A whole number within these bounds."""
    return _number(least, most, int)


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A time within these bounds."""
    return _number(least, most, float)


def one_of(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(" or ".join(words))
        return text

    return read


def yes_or_no(text: str) -> bool:
    """Yes or no."""
    return one_of(*_ANSWERS)(text) == _ANSWERS[1]


def url(*schemes: str) -> Callable[[str], str]:
    """A URL of one of these schemes, or none at all."""

    def read(text: str) -> str:
        try:
            parts = urlsplit(text)
            parts.port  # noqa: B018  # is read late, and refused then
        except ValueError:
            # what was told would show a part of the password
            raise ValueError("no URL; in a password write / as %2F, # as %23, ? as %3F") from None
        if text and parts.scheme not in schemes:
            raise ValueError(" or ".join(f"{scheme}://" for scheme in schemes))
        return text

    return read


def redis_url(text: str) -> str:
    """A URL of Redis, or none at all."""
    if text:
        # a command that needs no ledger should not load its client
        from minequeue.chain.ledger.redis_url import read  # noqa: PLC0415

        read(text)
    return text


def pair(text: str) -> tuple[int, int]:
    """MIN,MAX miners; one number stands for both."""
    least, _, most = text.partition(",")
    both = (int(least), int(most or least))
    if not 0 <= both[0] <= both[1] or not 1 <= both[1] <= _MAX_MINERS:
        raise ValueError(f"MIN,MAX with 0 <= MIN <= MAX <= {_MAX_MINERS}")
    return both


def pending(text: str) -> tuple[int, int]:
    """COUNT[,BYTES] that may wait."""
    count, _, size = text.partition(",")
    return integer(1, 10**9)(count), integer(1, 2**50)(size or PENDING_BYTES)


def word(text: str) -> str:
    """What can stand in a key of the ledger."""
    if (
        not 1 <= len(text) <= _MAX_WORD
        or not text.isascii()
        or not text.isprintable()
        or "}" in text
    ):
        raise ValueError(f"1 to {_MAX_WORD} printable ASCII characters without }}")
    return text


def address(text: str) -> str:
    """An IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("an IP address, such as 127.0.0.1") from None
    return text


def host_names(text: str) -> tuple[str, ...]:
    """Names of hosts with commas between them, or none."""
    names = tuple(filter(None, (word.strip().lower() for word in text.split(","))))
    for name in names:
        if not is_host_name(name):
            raise ValueError("names of hosts without ports, such as node.example,web")
    return names


def tokens(text: str) -> Tokens:
    """Entries with commas between them, or @FILE that holds them; an empty text is no token."""
    entries = text
    if text.startswith("@"):
        try:
            entries = drop_mark(Path(text[1:]).read_bytes()).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file cannot be read: {error}") from None
    known = Tokens.parse(entries)
    if text and not known:  # without tokens everybody may do everything: only if it is meant
        raise ValueError("it has no entry; to work without tokens, leave the variable empty")
    return known


def token(text: str) -> str:
    """What can stand in a header of HTTP."""
    if not text.isascii() or not text.isprintable():
        raise ValueError("only printable ASCII characters")
    return text


def login(text: str) -> str:
    """USER:PASSWORD, or nobody."""
    user, _, password = text.partition(":")
    if text and not (user and password):
        raise ValueError("USER:PASSWORD")
    return text


def write(value: Any) -> str:
    """The text that is read as ``value``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _ANSWERS[value]
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
