"""Every setting: its name, its default, what it may be. Checked once, at the start.

A setting is an environment variable, MINEQUEUE_ and the field's name in capitals. A bad value,
and a variable of that prefix that is no setting, stop the start and are named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from minequeue.chain.errors import MinequeueError
from minequeue.chain.peers.allow_list import AllowList
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
        "127.0.0.1", values.address, "IP address on which the web tier and Flower listen."
    )
    port: int = _setting("3000", _PORT, "Port of the web tier.")
    flower_port: int = _setting("5555", _PORT, "Port of Flower.")
    data_dir: Path = _setting(
        ".minequeue",
        Path,
        "Directory in which `minequeue up` keeps the chain, the queue and the logs.",
    )
    redis_url: str = _setting(
        "",
        values.redis_url,
        "URL of a Redis or Valkey server (redis://, rediss://, unix://); by default the "
        "embedded one.",
    )
    server_binary: str = _setting(
        "",
        str,
        "Executable of the embedded server; by default the installed package's, else one on PATH.",
    )
    max_memory: int = _setting(
        "0",
        values.integer(0, 2**50),
        "Maximum bytes of memory of the embedded server, beyond which the answer is 429; 0 "
        "for no limit.",
    )
    miners: tuple[int, int] = _setting(
        f"1,{_PROCESSORS}",
        values.pair,
        "MIN,MAX miners on this machine; their number follows the queue.",
    )
    fleet: tuple[int, int] | None = _setting(
        "",
        lambda text: values.pair(text) if text else None,
        "MIN,MAX miners on all machines together; by default `MINEQUEUE_MINERS`.",
    )
    target_drain_time: float = _setting(
        "10", values.seconds(0.1, 86_400), "Seconds in which the miners should empty the queue."
    )
    quiet_time: float = _setting(
        "10",
        values.seconds(0, 86_400),
        "Seconds of lower demand before scaling in.",
    )
    web_processes: int = _setting(
        f"{min(_PROCESSORS, _MAX_WEB_PROCESSES)}",
        values.integer(1, _MAX_WEB_PROCESSES),
        "Number of web processes.",
    )
    web_threads: int = _setting(
        "32", values.integer(8, 1024), "Concurrent requests in each web process."
    )
    network: str = _setting(
        "minequeue", values.word, "Name of the network; it determines the genesis block."
    )
    signatures: str = _setting(
        "optional",
        values.one_of("optional", "required"),
        "`required` if every transaction must be signed, else `optional`.",
    )
    node_address: str = _setting(
        "",
        lambda text: values.word(text) if text else "",
        "Address that receives the rewards; by default it is drawn once.",
    )
    bits: int = _setting(
        "20", values.integer(1, 64), "Number of zero bits at the start of a block's hash."
    )
    block_interval: float = _setting(
        "5",
        values.seconds(0.05, 86_400),
        "Seconds that a transaction waits before a block is mined without a request.",
    )
    block_transactions: int = _setting(
        "5000",
        values.integer(1, MAX_BLOCK_TRANSACTIONS),
        "Maximum number of transactions in a block.",
    )
    block_bytes: int = _setting(
        str(2 * 2**20),
        values.integer(1024, MAX_BLOCK_BYTES),
        "Maximum bytes of transactions in a block.",
    )
    peer_allow: AllowList = _setting(
        "127.0.0.0/8,::1/128",
        AllowList.parse,
        "Networks and names of the nodes that may be called, separated by commas.",
    )
    resolve_period: float = _setting(
        "10",
        values.seconds(0.1, 86_400),
        "Maximum seconds between two queries of the other nodes.",
    )
    tokens: Tokens = _setting(
        "",
        values.tokens,
        "Tokens and their scopes: entries of `minequeue token new`, separated by commas, or "
        "@FILE. Without tokens everybody who reaches the address may do everything.",
    )
    token: str = _setting(
        "",
        values.token,
        "Token that commands send to a node, and the resolver to other nodes.",
    )
    open_to_all: bool = _setting(
        "no",
        values.yes_or_no,
        "`yes` allows other addresses than loopback without tokens; only behind a proxy that "
        "controls access.",
    )
    hosts: tuple[str, ...] = _setting(
        "",
        values.host_names,
        "Host names of this node, separated by commas. A node without tokens rejects requests"
        " to other names; IP addresses and localhost are always accepted.",
    )
    flower_auth: str = _setting(
        "",
        values.login,
        "USER:PASSWORD for Flower; without it Flower listens on loopback only.",
    )
    track_requests: bool = _setting(
        "yes",
        values.yes_or_no,
        "`no` if a proxy sets X-Request-Id on every request: such requests are then not "
        "tracked to their block.",
    )
    traces: bool = _setting(
        "no",
        values.yes_or_no,
        "`yes` sends an OpenTelemetry trace of each sampled request (needs the extra "
        "minequeue[otel]; the variables OTEL_* configure it).",
    )
    log: str = _setting(
        "text",
        values.one_of("text", "json"),
        "`text` for people, or `json` for log collectors: one object per line.",
    )
    flower_url: str = _setting(
        "",
        values.url("http", "https"),
        "URL of Flower for browsers; by default its port on the host of the request.",
    )
    max_pending: tuple[int, int] = _setting(
        f"1000000,{values.PENDING_BYTES}",
        values.pending,
        "COUNT[,BYTES] in the queue; beyond it the answer is 429. COUNT limits mine requests too.",
    )
    max_body: int = _setting(
        str(16 * 2**20), values.integer(1024, 2**30), "Maximum bytes of a request body."
    )
    max_batch: int = _setting(
        "10000", values.integer(1, 10_000), "Maximum number of transactions in a request."
    )
    metrics_emf: bool = _setting(
        "no",
        values.yes_or_no,
        "`yes` prints the state of queue and miners for Amazon CloudWatch.",
    )
    redis_wait: float = _setting(
        "2", values.seconds(0.1, 600), "Seconds that a request waits for Redis before it gets 503."
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
