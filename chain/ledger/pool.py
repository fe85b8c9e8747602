"""Connections that are checked: each when it is made, and again before its use when that is old.

So whatever a check refuses is refused on every connection, and heals by itself: nothing that was
refused is kept.
"""

import logging
import math
import time
from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import redis

from minequeue.chain.errors import MinequeueError

# sends the words of one command on the connection that is checked, and gives its answer
Ask: TypeAlias = Callable[..., Any]
# raises a MinequeueError if the connection may not be used, else gives a warning, "" for none
Check: TypeAlias = Callable[[Ask], str]

CHECK_PERIOD_S = 5.0  # a change on a live server is noticed after so long, for 0.1 ms a connection
_log = logging.getLogger(__name__)


class CheckedPool(redis.ConnectionPool):
    """The connections of one process to its server.

    Attributes:
        warnings: what the checks warned of the last time: sentences that say what to change.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, redis_connect_func=self._greet)
        self._checks: list[Check] = []
        self.warnings: tuple[str, ...] = ()
        self._checked_at: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self._said: tuple[str, ...] = ()

    def add_check(self, check: Check) -> None:
        """Let ``check`` judge every connection, after those that were named before.

        Whoever uses a connection that it refuses gets what it raises.
        """
        self._checks.append(check)
        self._checked_at.clear()

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """As redis-py's, and checked.

        Raises:
            MinequeueError: a check refused it.
        """
        connection = super().get_connection()
        if time.monotonic() - self._checked_at.get(connection, -math.inf) > CHECK_PERIOD_S:
            try:
                self._check(connection)
            except BaseException:
                self.release(connection)
                raise
        return connection

    def _greet(self, connection: Any) -> None:
        """Begin a connection; called by redis-py with each new socket."""
        connection.on_connect()
        self._check(connection)

    def _check(self, connection: Any) -> None:
        def ask(*words: str) -> Any:
            connection.send_command(*words, check_health=False)
            return connection.read_response()

        try:
            warnings = [check(ask) for check in self._checks]
        except BaseException as error:
            # redis-py does so for its own errors alone; what is open would be used the next time
            connection.disconnect()
            if isinstance(error, MinequeueError):
                self._say((str(error),))
            raise
        self._checked_at[connection] = time.monotonic()
        self.warnings = tuple(warning for warning in warnings if warning)
        self._say(self.warnings)

    def _say(self, sentences: tuple[str, ...]) -> None:
        """Log what the checks found, once for each change."""
        if sentences == self._said:
            return
        self._said = sentences
        for sentence in sentences:
            _log.warning(sentence)
        if not sentences:
            _log.warning("The server's fault is gone; requests are accepted again.")
