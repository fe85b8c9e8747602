"""The embedded server of a stack, as it sees itself: memory, slowest commands, file, restart."""

import time
from dataclasses import dataclass
from hashlib import sha1
from importlib import resources
from typing import Any

import redis

from minequeue.compose.config import embedded
from tests.stack import Stack
from tests.waiting import wait_for

_SLOW_US = 10_000  # commands that took longer are remembered
_REMEMBERED = 10_000  # as many of them as there may be in a run
_SPIKE_MS = 1  # forks and fsyncs that took longer are remembered
_RESTART_S = 120


@dataclass(frozen=True, slots=True)
class Slowest:
    """The command that kept the server longest.

    Attributes:
        name: the script's name, or the command's.
        took_ms: how long it ran, by the wall clock.
        count: how many runs took longer than 10 ms.
    """

    name: str
    took_ms: float
    count: int


class Server:
    """The server of ``stack``, asked over its own socket."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._socket = embedded.socket_path(stack.data_dir)
        self._client = redis.Redis(unix_socket_path=str(self._socket))

    def watch(self) -> None:
        """Begin to remember what takes long."""
        self._client.config_set("slowlog-max-len", _REMEMBERED)
        self._client.config_set("slowlog-log-slower-than", _SLOW_US)
        self._client.config_set("latency-monitor-threshold", _SPIKE_MS)

    def memory(self) -> dict[str, int]:
        """INFO memory: used_memory and used_memory_rss among others, in bytes."""
        found: Any = self._client.info("memory")
        return dict(found)

    def slowest(self) -> list[Slowest]:
        """The slowest run of each command that took longer than 10 ms, the slowest first."""
        entries: Any = self._client.slowlog_get(_REMEMBERED)
        by_name: dict[str, list[float]] = {}
        for entry in entries:
            by_name.setdefault(_name(entry["command"]), []).append(entry["duration"] / 1000)
        found = [Slowest(name, max(took), len(took)) for name, took in by_name.items()]
        return sorted(found, key=lambda slowest: -slowest.took_ms)

    def worst_pause_ms(self, event: str) -> float:
        """The longest pause of a kind that LATENCY knows ("fork", "aof-fsync-always"); else 0."""
        latest: Any = self._client.latency_latest()
        return float(max((row[3] for row in latest if row[0] == event.encode()), default=0))

    def file_bytes(self) -> int:
        """The size of the append-only file, all of its parts."""
        directory = self._stack.data_dir / "ledger"
        return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())

    def restart(self) -> float:
        """Kill it; the seconds until the next one answers."""
        [process] = self._stack.processes_of(r"\S*(?:valkey|redis)-server")
        began = time.perf_counter()
        process.kill()
        process.wait()
        wait_for(lambda: embedded.answers(self._socket), "the restart", _RESTART_S)
        return time.perf_counter() - began


def _name(command: bytes) -> str:
    words = command.decode(errors="replace").split(maxsplit=2)
    return _script_names().get(words[1], words[0]) if len(words) > 1 else words[0]


def _script_names() -> dict[str, str]:
    scripts = resources.files("minequeue.chain.ledger").joinpath("lua")
    # the server knows a script by its SHA-1
    return {sha1(file.read_bytes()).hexdigest(): file.name for file in scripts.iterdir()}
