"""Whether the server keeps what it acknowledges, by what it tells of itself.

A 202 says that a transaction is on disk. That is so if the server writes its append-only log,
waits for the disk before each answer, and evicts nothing.
"""

from collections.abc import Iterable
from typing import Any

import redis

from minequeue.chain.errors import UnsafeServer
from minequeue.chain.ledger.pool import Ask

MIN_VERSION = (7, 0)  # of Redis, which Valkey and others name for their kind; tested with 7.0.15
REQUIRED = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}
# has no CONFIG, and answers when the write is in a log in several zones
_MEMORYDB = "Amazon MemoryDB"


def check_durability(ask: Ask) -> str:
    """See that the server keeps what it acknowledges.

    Returns:
        A warning that names what it does not tell, "" if it tells all.

    Raises:
        UnsafeServer: it would lose something.
    """
    info = _read_info(ask)
    version = info.get("redis_version", "")
    if version and _parse(version) < MIN_VERSION:
        least = ".".join(map(str, MIN_VERSION))
        raise UnsafeServer(
            f"Nothing is accepted: Redis has version {version}; use Redis {least} or later, "
            "or Valkey."
        )
    if _is_log_beginning(info):
        raise UnsafeServer(
            "Nothing is accepted yet: the server is just starting its append-only log; repeat the "
            "request soon."
        )
    told = _tell_by_info(info) | _read_config(ask)
    wrong = [
        f"{name} {value} (it is {told[name]})"
        for name, value in REQUIRED.items()
        if told.get(name, value) != value
    ]
    if wrong:
        raise UnsafeServer(
            "Nothing is accepted: the server would lose what it acknowledges; set "
            f"{' and '.join(wrong)} in its configuration."
        )
    untold = [f"{name} {value}" for name, value in REQUIRED.items() if name not in told]
    if not untold:
        return ""
    return (
        "The server does not reveal whether it keeps what it acknowledges; make sure that it has "
        f"{', '.join(untold)}, and allow its user INFO and CONFIG GET if possible."
    )


def _read_info(ask: Ask) -> dict[str, str]:
    """The fields of INFO; none if it may not be asked."""
    answer = _ask_if_allowed(ask, "INFO")
    lines = (answer or b"").decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _read_config(ask: Ask) -> dict[str, str]:
    """Those of the required settings that CONFIG GET tells."""
    answer = _ask_if_allowed(ask, "CONFIG", "GET", *REQUIRED)
    pairs = answer.items() if isinstance(answer, dict) else _pair(answer or [])
    return {name.decode(): value.decode() for name, value in pairs}


def _tell_by_info(info: dict[str, str]) -> dict[str, str]:
    """Those of the required settings that INFO tells."""
    if info.get("os", "").startswith(_MEMORYDB):
        told = dict(REQUIRED)
        del told["maxmemory-policy"]
    else:
        words = {"0": "no", "1": "yes"}
        told = (
            {"appendonly": words[info["aof_enabled"]]} if info.get("aof_enabled") in words else {}
        )
    if "maxmemory_policy" in info:
        told["maxmemory-policy"] = info["maxmemory_policy"]
    return told


def _is_log_beginning(info: dict[str, str]) -> bool:
    """Whether `appendonly` was set a moment ago: what is written is lost until the first log is."""
    empty = info.get("aof_current_size") == "0" and info.get("aof_base_size") == "0"
    return empty and info.get("aof_rewrite_in_progress") == "1"


def _ask_if_allowed(ask: Ask, *words: str) -> Any:
    try:
        return ask(*words)
    except redis.ResponseError as error:
        if isinstance(error, redis.exceptions.NoPermissionError) or "unknown" in str(error):
            return None  # some managed servers have no such command, or let nobody run it
        raise


def _pair(flat: list[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """An answer of the older protocol: names and values in turn."""
    return zip(flat[::2], flat[1::2], strict=True)


def _parse(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
