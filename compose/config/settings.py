"""Every setting: its name, its default, what it may be. Checked once, at the start.

A setting is an environment variable, MINEQUEUE_ and the field's name in capitals. A bad value,
and a variable of that prefix that is no setting, stop the start and are named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from minequeue.chain.errors import MinequeueError
from minequeue.chain.peers.allow_list import Allowed
from minequeue.chain.protocol.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS
from minequeue.compose.config import values
from minequeue.compose.config.processors import count_processors
from minequeue.web.guard.tokens import Tokens

PREFIX = "MINEQUEUE_"
# set by `minequeue up` on what it starts, to find it again; not a setting
STACK_MARK = "MINEQUEUE_STACK"


class BadSetting(MinequeueError):
    """A setting cannot be used; the message names it and says what it may be."""


def _setting(default: str, parse: Callable[[str], Any], text: str) -> Any:
    return field(default_factory=lambda: parse(default), metadata=locals())


# their values are shown nowhere
_SECRETS = frozenset({"redis_url", "tokens", "token", "flower_auth"})
_PROCESSORS = count_processors()
_MAX_WEB_PROCESSES = 256
_PORT = values.integer(1, 65_535)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process; see each field's text."""

    host: str = _setting(
        "127.0.0.1", values.address, "The IP address that web and Flower listen on."
    )
    port: int = _setting("3000", _PORT, "The web tier's port.")
    flower_port: int = _setting("5555", _PORT, "Flower's port.")
    data_dir: Path = _setting(
        ".minequeue", Path, "Where `minequeue up` keeps the chain, the queue and its logs."
    )
    redis_url: str = _setting(
        "",
        values.redis_url,
        "A Redis or Valkey server (redis://, rediss://, unix://) instead of the embedded one.",
    )
    server_binary: str = _setting(
        "", str, "The embedded server's executable; else the installed one, else one on PATH."
    )
    max_memory: int = _setting(
        "0",
        values.integer(0, 2**50),
        "The most bytes of memory of the embedded server, past which the answer is 429; 0 for no "
        "bound.",
    )
    workers: tuple[int, int] = _setting(
        f"1,{_PROCESSORS}",
        values.pair,
        "MIN,MAX miners; the pool follows the backlog between them.",
    )
    fleet: tuple[int, int] | None = _setting(
        "",
        lambda text: values.pair(text) if text else None,
        "MIN,MAX miners of all machines together, where workers run on several; else as "
        "`MINEQUEUE_WORKERS`.",
    )
    drain_time: float = _setting(
        "10", values.seconds(0.1, 86_400), "In how many seconds the miners should empty the queue."
    )
    quiet_time: float = _setting(
        "10",
        values.seconds(0, 86_400),
        "For how many seconds fewer miners must have been enough before any is let go.",
    )
    web_processes: int = _setting(
        f"{min(_PROCESSORS, _MAX_WEB_PROCESSES)}",
        values.integer(1, _MAX_WEB_PROCESSES),
        "Processes of the web tier.",
    )
    web_threads: int = _setting("32", values.integer(8, 1024), "Requests at once in each of them.")
    network: str = _setting(
        "minequeue", values.word, "The network's name; it decides the genesis block."
    )
    signatures: str = _setting(
        "optional",
        values.one_of("optional", "required"),
        "`required` where every transaction has to be signed, else `optional`; fixed when the "
        "chain is begun.",
    )
    node_address: str = _setting(
        "", lambda text: values.word(text) if text else "", "Who gets the rewards; else drawn once."
    )
    bits: int = _setting(
        "20", values.integer(1, 64), "Zero bits that a block's hash must begin with."
    )
    block_interval: float = _setting(
        "5",
        values.seconds(0.05, 86_400),
        "How many seconds a transaction waits before a block is due by itself.",
    )
    block_transactions: int = _setting(
        "5000", values.integer(1, MAX_BLOCK_TRANSACTIONS), "The most transactions in a block."
    )
    block_bytes: int = _setting(
        str(2 * 2**20),
        values.integer(1024, MAX_BLOCK_BYTES),
        "The most bytes of transactions in a block.",
    )
    peer_allow: Allowed = _setting(
        "127.0.0.0/8,::1/128",
        Allowed.parse,
        "Networks and names of the nodes that may be called, with commas between them.",
    )
    resolve_period: float = _setting(
        "10",
        values.seconds(0.1, 86_400),
        "How many seconds after the last time the other nodes are asked for their chains in any "
        "case.",
    )
    tokens: Tokens = _setting(
        "",
        values.tokens,
        "Who may do what: entries of `minequeue token new` with commas between them, or @FILE. "
        "Without any, everybody who reaches the address may do everything.",
    )
    token: str = _setting(
        "",
        values.token,
        "The token that commands show to a node, and the resolver to the other nodes.",
    )
    open_to_all: bool = _setting(
        "no",
        values.yes_or_no,
        "`yes` to listen on other addresses than loopback without tokens: behind something that "
        "guards them.",
    )
    hosts: tuple[str, ...] = _setting(
        "",
        values.host_names,
        "The names of this node's hosts, with commas between them. Without tokens a request to "
        "another host is refused; every IP address and localhost are its own.",
    )
    flower_auth: str = _setting(
        "",
        values.login,
        "USER:PASSWORD of Flower; without it Flower listens on loopback alone.",
    )
    follow: bool = _setting(
        "yes",
        values.yes_or_no,
        "Whether a request that its client names (X-Request-Id) is followed into its block; `no` "
        "where a proxy names all of them.",
    )
    traces: bool = _setting(
        "no",
        values.yes_or_no,
        "`yes` for a trace from each sampled request to its block (OpenTelemetry, with the extra "
        "minequeue[otel] and the variables OTEL_*).",
    )
    log: str = _setting(
        "text",
        values.one_of("text", "json"),
        "`text` for people, or `json`: an object a line, for what collects logs.",
    )
    flower_url: str = _setting(
        "",
        values.url("http", "https"),
        "Where browsers find Flower; else at its port of the host that they ask.",
    )
    max_pending: tuple[int, int] = _setting(
        f"1000000,{values.PENDING_BYTES}",
        values.pending,
        "COUNT[,BYTES] that may wait; past it the answer is 429. COUNT bounds mine requests too.",
    )
    max_body: int = _setting(
        str(16 * 2**20), values.integer(1024, 2**30), "The most bytes of a request's body."
    )
    max_batch: int = _setting(
        "10000", values.integer(1, 10_000), "The most transactions in a request."
    )
    metrics_emf: bool = _setting(
        "no",
        values.yes_or_no,
        "`yes` for web to print what waits and who works, for Amazon CloudWatch to read.",
    )
    redis_wait: float = _setting(
        "2", values.seconds(0.1, 600), "How many seconds a request waits for the server, then 503."
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
        return {variable(f.name): values.write(getattr(self, f.name)) for f in fields(self)}

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


def _mask(name: str, value: Any) -> Any:
    """What may be shown of a value: no secret, and of a URL all but its password."""
    if name not in _SECRETS or not value:
        return value
    if name != "redis_url":
        return "***"
    # a command that needs no ledger should not load its client
    from minequeue.chain.ledger.redis_url import show  # noqa: PLC0415

    return show(value)
