"""One way to the server: every call is bounded in time, and every failure has one name."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar, Unpack, cast

import redis

from minequeue.chain.errors import LedgerLost, LedgerUnavailable, LoginRefused, QueueFull
from minequeue.chain.ledger.durability import check_durability
from minequeue.chain.ledger.keys import CallKeys, Keys
from minequeue.chain.ledger.pool import CheckedPool
from minequeue.chain.ledger.redis_connection import bounded, code_of, is_away, is_refused
from minequeue.chain.ledger.redis_url import Client, read
from minequeue.chain.ledger.scripts import read_scripts

T = TypeVar("T")
Argument: TypeAlias = bytes | str | int
Call: TypeAlias = tuple[str, Sequence[Argument]]  # a script and its arguments

_NO_CHAIN = b"NO_CHAIN"  # what a script answers that accepts something and finds no tip
_LOG_PERIOD_S = 10.0  # between two lines of a process that say why Redis cannot be used
_RETRY_PAUSE_S = 0.05  # a restarting server cannot be waited for but by asking again
_MIN_TIMEOUT_S = 0.05  # of a socket, so that the last try before the deadline is a real one
_log = logging.getLogger(__name__)


def open_redis(url: str, *, wait_s: float) -> "RedisClient":
    """Make a connection to the server at ``url``; nothing is sent yet.

    Args:
        url: see :mod:`chain.ledger.redis_url`.
        wait_s: how long a call may take, a restart of the server included, in seconds.

    Raises:
        ValueError: the URL cannot be used.
    """
    timeout_s = max(wait_s / 2, _MIN_TIMEOUT_S)
    pool = CheckedPool(**read(url), **bounded(connect_s=timeout_s, answer_s=timeout_s))
    pool.add_check(check_durability)
    return RedisClient(redis.Redis.from_pool(pool), wait_s=wait_s)


def explain(error: redis.RedisError) -> str:
    """Why Redis cannot be used, in its own words or the library's; they hold no password."""
    said = str(error).rstrip(".")
    return f"Redis refuses to serve this user ({said})" if is_refused(error) else said


class RedisClient:
    """Runs commands and scripts; safe for use by many threads.

    A call that the server did not answer is sent again until the deadline, so every script is
    written to be repeatable: a second run changes nothing and answers as the first.

    Args:
        client: has a :class:`CheckedPool`.
        wait_s: see :func:`open_redis`.

    Attributes:
        pool: what judges each connection of the client.
    """

    def __init__(self, client: Client, *, wait_s: float) -> None:
        self.client = client
        self.pool = cast(CheckedPool, client.connection_pool)
        self._wait_s = wait_s
        self._has_served = False
        self._logged_at = -_LOG_PERIOD_S  # by a clock that only grows
        self._scripts = read_scripts()

    def run(self, command: Callable[[Client], T]) -> T:
        """Run ``command`` with the client.

        Raises:
            LedgerUnavailable: Redis did not serve it in time.
            LoginRefused: Redis refuses the user, or what it wants to do.
            QueueFull: the server's memory is used up; nothing was changed.
            MinequeueError: a check refused the connection.
        """
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                answer = command(self.client)
            except redis.RedisError as error:
                if code_of(error) == "OOM":
                    raise QueueFull from error
                if not is_away(error) and not is_refused(error):
                    raise
                # those that wait in the pool lead to where this one led
                self.pool.disconnect(inuse_connections=False)
                if time.monotonic() + _RETRY_PAUSE_S >= deadline:
                    raise self._give_up(error) from error
                time.sleep(_RETRY_PAUSE_S)
            else:
                self._has_served = True
                return answer

    def _give_up(self, error: redis.RedisError) -> LedgerUnavailable:
        """Say why to whoever reads the log, and to clients only what they can do about it."""
        now = time.monotonic()
        # why the first call fails is said by who opens the ledger
        if self._has_served and now - self._logged_at >= _LOG_PERIOD_S:
            self._logged_at = now
            _log.error("Redis cannot be used: %s", explain(error))
        return LoginRefused() if is_refused(error) else LedgerUnavailable()

    def script(
        self, keys: Keys, name: str, arguments: Sequence[Argument], **given: Unpack[CallKeys]
    ) -> Any:
        """Run the script ``lua/<name>.lua``; see :meth:`run`.

        Args:
            keys: the network's, of which the script's head names those that it gets.
            name: of the script.
            arguments: as its head says.
            given: what it names besides.

        Raises:
            LedgerLost: it found no chain, and has changed nothing.
            redis.ResponseError: it failed; a note has its name.
        """
        script = self._scripts[name]
        found = script.find_keys(keys, given)
        call = ("EVALSHA", script.sha, len(found), *found, *arguments)

        def evaluate(client: Client) -> Any:
            try:
                return self._send(client, call)
            except redis.exceptions.NoScriptError:  # the server's first time, or its restart
                client.script_load(script.source)
                return self._send(client, call)

        try:
            answer = self.run(evaluate)
        except redis.ResponseError as error:
            error.add_note(f"{name}.lua")
            raise
        if answer == _NO_CHAIN:
            raise LedgerLost
        return answer

    def scripts(self, keys: Keys, calls: Sequence[Call]) -> list[Any]:
        """Run scripts one after the other, in one round trip and with one fsync; see :meth:`run`.

        Each is atomic by itself: calls of others may come in between.
        """
        scripts = [self._scripts[name] for name, _ in calls]
        commands = [
            ("EVALSHA", script.sha, len(script.keys), *script.find_keys(keys), *arguments)
            for script, (_, arguments) in zip(scripts, calls, strict=True)
        ]

        def evaluate(client: Client) -> list[Any]:
            answers = self._send_all(client, commands)
            if any(isinstance(answer, redis.exceptions.NoScriptError) for answer in answers):
                for script in scripts:
                    client.script_load(script.source)
                answers = self._send_all(client, commands)
            for (name, _), answer in zip(calls, answers, strict=True):
                if isinstance(answer, redis.ResponseError):
                    answer.add_note(f"{name}.lua")
                    raise answer
            return answers

        return self.run(evaluate)

    def _send_all(self, client: Client, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """As :meth:`_send`, for each of ``commands``; what the server refuses is its error."""
        pool = client.connection_pool
        connection = pool.get_connection()
        answers: list[Any] = []
        try:
            packed = connection.pack_commands(commands)  # type: ignore[no-untyped-call]  # redis-py
            connection.send_packed_command(packed)  # type: ignore[no-untyped-call]  # redis-py
            for _ in commands:
                try:
                    answers.append(connection.read_response())
                except redis.ResponseError as error:
                    answers.append(error)
            return answers
        finally:
            if len(answers) < len(commands):  # the others are not for who has it next
                connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py
            pool.release(connection)

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
