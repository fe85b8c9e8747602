"""Bearer tokens: who may do what, and how much a second.

A token is 32 random bytes, so its SHA-256 keeps it as well as any slow hash would: there is nothing
to guess. Only the hash is kept.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from minequeue.chain.errors import MinequeueError

SCOPES = ("submit", "mine", "peer", "admin")  # the last one includes all others
PREFIX = "mq_"  # by which scanners of published code find a token
_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FIELDS = (3, 5)  # of an entry, without limits and with them
_MAX_RATE = 1_000_000


class BadToken(MinequeueError):
    """A token's entry is NAME:SCOPE+SCOPE:SHA256 or that with :REQUESTS:ENTRIES a second."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token.

    Attributes:
        name: for people; also the name of its bucket.
        scopes: what it may do.
        digest: SHA-256 of the token's text.
        requests: how many a second, 0 for no limit.
        entries: how many transactions a second, 0 for no limit.
    """

    name: str
    scopes: frozenset[str]
    digest: bytes
    requests: int = 0
    entries: int = 0

    def may(self, scope: str) -> bool:
        """Tell whether it may do what needs ``scope``."""
        return scope in self.scopes or "admin" in self.scopes

    def __str__(self) -> str:
        scopes = "+".join(scope for scope in SCOPES if scope in self.scopes)
        limits = f":{self.requests}:{self.entries}" if self.requests or self.entries else ""
        return f"{self.name}:{scopes}:{self.digest.hex()}{limits}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """All tokens of a node; without any, everybody may do everything."""

    known: tuple[Token, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Tokens":
        """Read lines, each of entries with commas between them; ``#`` begins a comment.

        A comment ends with its line and not at a comma, so that a line is commented out as a whole.

        Raises:
            BadToken: one is malformed, or two have one name.
        """
        entries = (line.partition("#")[0].split(",") for line in text.split("\n"))
        words = (word.strip() for line in entries for word in line)
        known = tuple(_read(word) for word in words if word)
        if len({token.name for token in known}) != len(known):
            raise BadToken("Two tokens have one name.")
        return cls(known)

    def find(self, text: str) -> Token | None:
        """The token whose text this is; takes as long whichever it is, and whether it is any."""
        digest = sha256(text.encode()).digest()
        found = None
        for token in self.known:
            if compare_digest(token.digest, digest):
                found = token
        return found

    def __bool__(self) -> bool:
        return bool(self.known)

    def __iter__(self) -> Iterator[Token]:
        return iter(self.known)

    def __str__(self) -> str:
        return ",".join(map(str, self.known))


def draw_token() -> str:
    """A new token."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def make_entry(name: str, scopes: list[str], text: str, requests: int, entries: int) -> Token:
    """What is kept of the token ``text``.

    Raises:
        BadToken: name, scopes or limits cannot be used.
    """
    return _read(
        f"{name}:{'+'.join(scopes)}:{sha256(text.encode()).hexdigest()}:{requests}:{entries}"
    )


def _read(entry: str) -> Token:
    fields = entry.split(":")
    # the entry is not shown: whoever wrote the token itself there should not find it in a log
    if len(fields) not in _FIELDS:
        raise BadToken
    name, scopes, digest, *limits = fields
    if not _NAME.fullmatch(name):
        raise BadToken("A token's name has 1 to 64 letters, digits, dots, dashes or underscores.")
    if not set(scopes.split("+")) <= set(SCOPES):
        raise BadToken(f"The scopes of the token {name} are some of {', '.join(SCOPES)}.")
    if not _DIGEST.fullmatch(digest):
        raise BadToken(f"The token {name} is kept as its SHA-256, 64 lower-case hex digits.")
    rates = [int(text) if text.isascii() and text.isdigit() else -1 for text in limits]
    if not all(0 <= rate <= _MAX_RATE for rate in rates):
        raise BadToken(f"The limits of the token {name} are integers from 0 to {_MAX_RATE}.")
    return Token(name, frozenset(scopes.split("+")), bytes.fromhex(digest), *rates)
