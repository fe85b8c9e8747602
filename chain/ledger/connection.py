"""One way to the server: every call is bounded in time, and every failure has one name."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any, TypeAlias, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chain.errors import LedgerUnavailable, QueueFull
from chain.ledger.durability import check_durability
from chain.ledger.pool import CheckedPool

T = TypeVar("T")
Client: TypeAlias = "redis.Redis"
Argument: TypeAlias = bytes | str | int

_RETRY_PAUSE_S = 0.05  # a restarting server cannot be waited for but by asking again
_SHORTEST_TIMEOUT_S = 0.05  # of a socket, so that the last try before the deadline is a real one


def connect(url: str, *, wait_s: float) -> "Connection":
    """Make a connection to the server at ``url``; nothing is sent yet.

    Args:
        url: redis://, rediss:// or unix://.
        wait_s: how long a call may take, a restart of the server included, in seconds.
    """
    timeout_s = max(wait_s / 2, _SHORTEST_TIMEOUT_S)
    only_tcp = {} if url.startswith("unix") else {"socket_keepalive": True}
    pool = CheckedPool.from_url(
        url,
        **only_tcp,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # the one place that tries again is Connection.run, which knows the deadline
        retry=Retry(NoBackoff(), 0),
    )
    pool.require(check_durability)
    return Connection(redis.Redis.from_pool(pool), wait_s=wait_s)


class Connection:
    """Runs commands and scripts; safe for use by many threads.

    A call that the server did not answer is sent again until the deadline, so every script is
    written to be repeatable: a second run changes nothing and answers as the first.

    Args:
        client: has a :class:`CheckedPool`.
        wait_s: see :func:`connect`.

    Attributes:
        pool: what judges each connection of the client.
    """

    def __init__(self, client: Client, *, wait_s: float) -> None:
        self.client = client
        self.pool = cast(CheckedPool, client.connection_pool)
        self._wait_s = wait_s
        self._scripts = {
            name: client.register_script(source) for name, source in _read_scripts().items()
        }

    def run(self, command: Callable[[Client], T]) -> T:
        """Run ``command`` with the client.

        Raises:
            LedgerUnavailable: no answer came in time, or the server cannot write to its log.
            QueueFull: the server's memory is used up; nothing was changed.
            MinequeueError: a check refused the connection.
        """
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                return command(self.client)
            except redis.exceptions.OutOfMemoryError as error:
                raise QueueFull from error
            except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError) as error:
                if time.monotonic() + _RETRY_PAUSE_S >= deadline:
                    raise LedgerUnavailable from error
                time.sleep(_RETRY_PAUSE_S)
            except redis.ResponseError as error:
                # raised inside a script, these two arrive without a class of their own
                if "OOM " in str(error):
                    raise QueueFull from error
                if "MISCONF" in str(error):
                    raise LedgerUnavailable from error
                raise

    def script(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Run the script ``lua/<name>.lua``; see :meth:`run`."""
        script = self._scripts[name]
        call = ("EVALSHA", script.sha, len(keys), *keys, *arguments)

        def evaluate(client: Client) -> Any:
            try:
                return self._send(client, call)
            except redis.exceptions.NoScriptError:  # the server's first time, or its restart
                client.script_load(script.script)
                return self._send(client, call)

        return self.run(evaluate)

    def _send(self, client: Client, command: Sequence[Argument]) -> Any:
        """Send ``command`` and read its answer.

        Without the wrappers that redis-py has around it: with them, all that a call of a script
        takes here is twice as long, and every submission waits for one.
        """
        pool = client.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_command(*command)  # type: ignore[no-untyped-call]  # redis-py
            return connection.read_response()
        finally:
            pool.release(connection)


@cache
def _read_scripts() -> dict[str, str]:
    return {
        file.name.removesuffix(".lua"): file.read_text("utf-8")
        for file in resources.files("chain").joinpath("lua").iterdir()
        if file.name.endswith(".lua")
    }
