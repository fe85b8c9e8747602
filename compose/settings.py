"""Every setting: its name, its default, what it may be. Checked once, at the start.

A setting is an environment variable, MINEQUEUE_ and the field's name in capitals. A bad value,
and a variable of that prefix that is no setting, stop the start and are named.
"""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from chain.errors import MinequeueError
from chain.peers.allowed import Allowed
from chain.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS
from web.tokens import Tokens

PREFIX = "MINEQUEUE_"
# set by `minequeue up` on what it starts, to find it again; not a setting
STACK_MARK = "MINEQUEUE_STACK"
T = TypeVar("T")


class BadSetting(MinequeueError):
    """A setting cannot be used; the message names it and says what it may be."""


def _setting(default: str, parse: Callable[[str], Any], text: str) -> Any:
    return field(default_factory=lambda: parse(default), metadata=locals())


def _number(least: float, most: float, kind: Callable[[str], T]) -> Callable[[str], T]:
    def parse(text: str) -> T:
        value = kind(text)
        if not least <= value <= most:  # type: ignore[operator]  # int or float
            raise ValueError(f"between {least} and {most}")
        return value

    return parse


def _integer(least: int, most: int) -> Callable[[str], int]:
    return _number(least, most, int)


def _seconds(least: float, most: float) -> Callable[[str], float]:
    return _number(least, most, float)


def _pair(text: str) -> tuple[int, int]:
    least, _, most = text.partition(",")
    pair = (int(least), int(most or least))
    if not 0 <= pair[0] <= pair[1] or not 1 <= pair[1] <= _MOST_WORKERS:
        raise ValueError(f"MIN,MAX with 0 <= MIN <= MAX <= {_MOST_WORKERS}")
    return pair


def _pending(text: str) -> tuple[int, int]:
    count, _, size = text.partition(",")
    return _integer(1, 10**9)(count), _integer(1, 2**50)(size or _PENDING_BYTES)


def _word(text: str) -> str:
    if (
        not 1 <= len(text) <= _MOST_WORD
        or not text.isascii()
        or not text.isprintable()
        or "}" in text
    ):
        raise ValueError(f"1 to {_MOST_WORD} printable ASCII characters without }}")
    return text


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("an IP address, such as 127.0.0.1") from None
    return text


def _signatures(text: str) -> str:
    if text not in {"optional", "required"}:
        raise ValueError("optional or required")
    return text


def _log(text: str) -> str:
    if text not in {"text", "json"}:
        raise ValueError("text or json")
    return text


def _yes_or_no(text: str) -> bool:
    if text not in _ANSWERS:
        raise ValueError(" or ".join(_ANSWERS))
    return text == _ANSWERS[1]


def _tokens(text: str) -> Tokens:
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file cannot be read: {error}") from None
    return Tokens.parse(text)


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("printable ASCII characters alone")
    return text


def _flower_auth(text: str) -> str:
    user, _, password = text.partition(":")
    if text and not (user and password):
        raise ValueError("USER:PASSWORD")
    return text


def _web_url(text: str) -> str:
    if text and urlsplit(text).scheme not in {"http", "https"}:
        raise ValueError("http:// or https://")
    return text


def _redis_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # is read late, and refused then
    except ValueError:
        # what was told would show a part of the password
        raise ValueError("no URL; in a password write / as %2F, # as %23, ? as %3F") from None
    if text and parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("redis://, rediss:// or unix://")
    return text


_MOST_WORKERS = 10_000
_MOST_WORD = 128
_ANSWERS = ("no", "yes")
# their values are shown nowhere
_SECRETS = frozenset({"redis_url", "tokens", "token", "flower_auth"})
_PENDING_BYTES = str(512 * 2**20)
_CPUS = os.cpu_count() or 1
_PORT = _integer(1, 65_535)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process; see each field's text."""

    host: str = _setting("127.0.0.1", _address, "The IP address that web and Flower listen on.")
    port: int = _setting("3000", _PORT, "The web tier's port.")
    flower_port: int = _setting("5555", _PORT, "Flower's port.")
    data_dir: Path = _setting(
        ".minequeue", Path, "Where `minequeue up` keeps the chain, the queue and its logs."
    )
    redis_url: str = _setting(
        "",
        _redis_url,
        "A Redis or Valkey server (redis://, rediss://, unix://) instead of the embedded one.",
    )
    server_binary: str = _setting(
        "", str, "The embedded server's executable; else the installed one, else one on PATH."
    )
    max_memory: int = _setting(
        "0",
        _integer(0, 2**50),
        "The most bytes of memory of the embedded server, past which the answer is 429; 0 for no "
        "bound.",
    )
    workers: tuple[int, int] = _setting(
        f"1,{_CPUS}", _pair, "MIN,MAX miners; the pool follows the backlog between them."
    )
    fleet: tuple[int, int] | None = _setting(
        "",
        lambda text: _pair(text) if text else None,
        "MIN,MAX miners of all machines together, where workers run on several; else as "
        "`MINEQUEUE_WORKERS`.",
    )
    drain_time: float = _setting(
        "10", _seconds(0.1, 86_400), "In how many seconds the miners should empty the queue."
    )
    quiet_time: float = _setting(
        "10",
        _seconds(0, 86_400),
        "For how many seconds fewer miners must have been enough before any is let go.",
    )
    web_processes: int = _setting(f"{_CPUS}", _integer(1, 256), "Processes of the web tier.")
    web_threads: int = _setting("32", _integer(8, 1024), "Requests at once in each of them.")
    network: str = _setting("minequeue", _word, "The network's name; it decides the genesis block.")
    signatures: str = _setting(
        "optional",
        _signatures,
        "`required` where every transaction has to be signed, else `optional`; fixed when the "
        "chain is begun.",
    )
    node_address: str = _setting(
        "", lambda text: _word(text) if text else "", "Who gets the rewards; else drawn once."
    )
    bits: int = _setting("20", _integer(1, 64), "Zero bits that a block's hash must begin with.")
    block_interval: float = _setting(
        "5",
        _seconds(0.05, 86_400),
        "How many seconds a transaction waits before a block is due by itself.",
    )
    block_transactions: int = _setting(
        "5000", _integer(1, MAX_BLOCK_TRANSACTIONS), "The most transactions in a block."
    )
    block_bytes: int = _setting(
        str(2 * 2**20),
        _integer(1024, MAX_BLOCK_BYTES),
        "The most bytes of transactions in a block.",
    )
    peer_allow: Allowed = _setting(
        "127.0.0.0/8,::1/128",
        Allowed.parse,
        "Networks and names of the nodes that may be called, with commas between them.",
    )
    resolve_period: float = _setting(
        "10",
        _seconds(0.1, 86_400),
        "How many seconds after the last time the other nodes are asked for their chains in any "
        "case.",
    )
    tokens: Tokens = _setting(
        "",
        _tokens,
        "Who may do what: entries of `minequeue token new` with commas between them, or @FILE. "
        "Without any, everybody who reaches the address may do everything.",
    )
    token: str = _setting(
        "", _token, "The token that commands show to a node, and the resolver to the other nodes."
    )
    open_to_all: bool = _setting(
        "no",
        _yes_or_no,
        "`yes` to listen on other addresses than loopback without tokens: behind something that "
        "guards them.",
    )
    flower_auth: str = _setting(
        "",
        _flower_auth,
        "USER:PASSWORD of Flower; without it Flower listens on loopback alone.",
    )
    follow: bool = _setting(
        "yes",
        _yes_or_no,
        "Whether a request that its client names (X-Request-Id) is followed into its block; `no` "
        "where a proxy names all of them.",
    )
    traces: bool = _setting(
        "no",
        _yes_or_no,
        "`yes` for a trace from each sampled request to its block (OpenTelemetry, with the extra "
        "minequeue[otel] and the variables OTEL_*).",
    )
    log: str = _setting(
        "text", _log, "`text` for people, or `json`: an object a line, for what collects logs."
    )
    flower_url: str = _setting(
        "", _web_url, "Where browsers find Flower; else at its port of the host that they ask."
    )
    max_pending: tuple[int, int] = _setting(
        f"1000000,{_PENDING_BYTES}",
        _pending,
        "COUNT[,BYTES] that may wait; past it the answer is 429. COUNT bounds mine requests too.",
    )
    max_body: int = _setting(
        str(16 * 2**20), _integer(1024, 2**30), "The most bytes of a request's body."
    )
    max_batch: int = _setting("10000", _integer(1, 10_000), "The most transactions in a request.")
    metrics_emf: bool = _setting(
        "no",
        _yes_or_no,
        "`yes` for web to print what waits and who works, for Amazon CloudWatch to read.",
    )
    redis_wait: float = _setting(
        "2", _seconds(0.1, 600), "How many seconds a request waits for the server, then 503."
    )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], options: Mapping[str, str] | None = None
    ) -> "Settings":
        """Read the settings.

        Args:
            environment: variables, of which those with the prefix count.
            options: what the command line says instead, by field name.

        Raises:
            BadSetting: a variable is unknown or its value is bad.
        """
        known = {variable(f.name): f for f in fields(cls)}
        given = {k: v for k, v in environment.items() if k.startswith(PREFIX) and k != STACK_MARK}
        for name in given:
            if name not in known:
                raise BadSetting(f"{name} is not a setting; the settings are {', '.join(known)}.")
        given |= {variable(name): value for name, value in (options or {}).items()}
        return cls(**{known[k].name: _read(k, v, known[k].metadata) for k, v in given.items()})

    def as_environment(self) -> dict[str, str]:
        """The variables that give these settings to another process."""
        return {variable(f.name): _write(getattr(self, f.name)) for f in fields(self)}

    def __repr__(self) -> str:
        shown = (f"{f.name}={_mask(f.name, getattr(self, f.name))!r}" for f in fields(self))
        return f"Settings({', '.join(shown)})"


def variable(name: str) -> str:
    """The environment variable of the field ``name``."""
    return PREFIX + name.upper()


def _read(name: str, text: str, metadata: Mapping[str, Any]) -> Any:
    try:
        return metadata["parse"](text)
    except (ValueError, MinequeueError) as error:
        shown = "its value" if name in map(variable, _SECRETS) else repr(text)
        raise BadSetting(f"{name}: {shown} cannot be used ({error}).") from None


def _write(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _ANSWERS[value]
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _mask(name: str, value: Any) -> Any:
    """What may be shown of a value: no secret, and of a URL all but its password."""
    if name not in _SECRETS or not value:
        return value
    if name != "redis_url":
        return "***"
    if "@" not in value:
        return value
    return (
        urlsplit(value)._replace(netloc="***@" + urlsplit(value).netloc.rpartition("@")[2]).geturl()
    )
