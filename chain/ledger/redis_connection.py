"""Connections to Redis that take "not here, not now" for what it is: a connection that is lost.

Redis says so by an error's first word. A node of a cluster that starts says CLUSTERDOWN, one that
lost its role MOVED or READONLY, and one that frees a blocked client UNBLOCKED; none of them is a
fault of the command. So the connection that heard it is dropped, as if the network had failed, and
the client that has it looks Redis up again: the ledger's, the one that listens for news, and
Celery's, which takes other errors for faults and ends with them.
"""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# the words by which a server says that another one, or a later moment, serves the same command
_AWAY = frozenset(
    {
        *("ASK", "CLUSTERDOWN", "MASTERDOWN", "MOVED", "READONLY", "TRYAGAIN", "UNBLOCKED"),
        *("BUSY", "LOADING", "MISCONF", "NOREPLICAS"),
    }
)
_REFUSED = frozenset({"NOAUTH", "NOPERM", "WRONGPASS"})
_MAX_SOCKET_PATH = 103  # bytes, what macOS allows; Linux allows 107


class RedisAway(redis.ConnectionError):
    """Redis answered that it cannot serve now, or not here; the connection was dropped."""


def code_of(error: redis.RedisError) -> str:
    """The word by which Redis says what kind of error it is, as WRONGPASS; "" if it is none."""
    # the client cuts off the words that it knows
    return error.status_code or str(error).partition(" ")[0]


def is_away(error: redis.RedisError) -> bool:
    """Whether it is worth to look Redis up again, and to send the same command there."""
    lost = isinstance(error, redis.ConnectionError | redis.TimeoutError)
    return lost or code_of(error) in _AWAY


def is_refused(error: redis.RedisError) -> bool:
    """Whether Redis refuses the user, its password, or what it wants to do."""
    return isinstance(error, redis.AuthenticationError) or code_of(error) in _REFUSED


class _Judging(redis.connection.AbstractConnection):
    """Drops itself when Redis says that it is away."""

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().read_response(*arguments, **options)
        except redis.ResponseError as error:
            if not is_away(error):
                raise
            self.disconnect()  # type: ignore[no-untyped-call]  # redis-py
            code, said = code_of(error), str(error)
            raise RedisAway(said if said.startswith(code) else f"{code} {said}") from error


class TcpConnection(_Judging, redis.Connection):
    """Over TCP."""


class TlsConnection(_Judging, redis.SSLConnection):
    """Over TLS; Redis has to show a certificate of its name, from an authority that is known."""


class UnixConnection(_Judging, redis.UnixDomainSocketConnection):
    """Over a Unix socket, whose path may be of any length."""

    port = None  # redis-py counts failures by host and port, and fails itself where there is none

    def _connect(self) -> Any:
        path: str = self.path
        try:
            self.path = shorten(path)
            return super()._connect()  # type: ignore[no-untyped-call]  # redis-py
        finally:
            self.path = path


def bounded(*, connect_s: float, answer_s: float) -> dict[str, Any]:
    """Options of a connection whose every step takes no longer than this, and is tried once.

    Who has the connection knows until when to try again.
    """
    return {
        "socket_connect_timeout": connect_s,
        "socket_timeout": answer_s,
        "retry": Retry(NoBackoff(), 0),
    }


def shorten(path: str) -> str:
    """A name of the socket at ``path`` that a socket's address has room for.

    Where the path is too long, that is one through a link to its directory, in a directory of the
    user's own. Whoever needs the link makes it: the socket is where ``path`` says, so that it is
    found whatever TMPDIR says, and the link may be gone at any time.

    Raises:
        OSError: others may write to that directory.
    """
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        return path
    directory, name = os.path.split(path)
    links = Path(f"/tmp/minequeue-{os.getuid()}")  # noqa: S108  # nosec B108  # checked below
    links.mkdir(mode=0o700, exist_ok=True)
    found = links.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OSError(f"{links} is open to others; remove it, or take a shorter data directory")
    link = links / hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    with suppress(FileExistsError):
        link.symlink_to(directory)
    return str(link / name)
