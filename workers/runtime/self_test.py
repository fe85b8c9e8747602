"""A worker's self-test: a message to itself, to see whether its consumer still consumes.

After the server was away a Celery worker may go on without ever reading its queue again, and look
alive in every other way. The self-test message travels like a wake-up, by the same consumer and in
the same read of the server, on a queue of the worker's own. It is answered by the worker's main
process, so that a busy pool does not delay it.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

SELF_TEST = "pulse"  # the name of the message, as a Celery task
STRATEGY = "minequeue.workers.runtime.self_test:answer"  # how Celery is told to handle it
_log = logging.getLogger(__name__)


def queue_of(worker: str, wake_ups: str) -> str:
    """The queue of ``worker``'s self-test messages beside the one of ``wake_ups``."""
    return f"{wake_ups}.{worker}"


def answer(_task: Any, _app: Any, consumer: Any, **_: Any) -> Callable[..., None]:
    """Celery's extension point: handle the message here, and not in the pool."""
    self_test = consumer.controller.minequeue_ticks.self_test

    def handle(_message: Any, _body: Any, ack: Callable[..., None], *_: Any) -> None:
        self_test.note_answer()
        ack(_log, consumer.connection_errors)

    return handle


class SelfTest:
    """Whether the consumer consumes, from what a worker sees of itself.

    Only what happened while Redis answered counts, so time is that of the ticks that it answered:
    between two of them, and while one waits, nothing is held against the consumer. And its silence
    counts from when it had a connection, since a self-test message is sent by another.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen_at = clock()  # the end of the last tick that Redis answered
        self._connection: object | None = None  # of the consumer
        self._lost_at: float | None = None  # since when it has none
        # when the first self-test message was sent that has not come back
        self._owed_at: float | None = None
        self._sent_at: float | None = None  # and the last
        self.has_passed = False

    def note_answer(self) -> None:
        """A self-test message came back."""
        self._owed_at = self._sent_at = None
        self.has_passed = True

    def is_waiting(self, most_s: float) -> bool:
        """Whether a self-test message is under way that was sent less than ``most_s`` ago."""
        sent_at = self._sent_at
        return sent_at is not None and self._clock() - sent_at < most_s

    def note_sent(self) -> None:
        """A self-test message was sent."""
        self._sent_at = self._clock()
        if self._owed_at is None:
            self._owed_at = self._sent_at

    def note_connection(self, connection: object | None) -> None:
        """Redis answered a tick, and this is the consumer's connection; None if it has none."""
        now = self._clock()
        if connection is not self._connection:
            self.excuse()
        self._connection = connection
        self._lost_at = (self._lost_at or now) if connection is None else None
        self._seen_at = now

    def excuse(self) -> None:
        """Redis was away, or slow: the time until now does not count."""
        self._lost_at = self._owed_at = self._sent_at = None

    @property
    def silent_s(self) -> float:
        """For how long it has read nothing although it has a connection, in seconds."""
        return 0 if self._connection is None else self._count(self._owed_at)

    @property
    def lost_s(self) -> float:
        """For how long it has had no connection although Redis answers, in seconds."""
        return self._count(self._lost_at)

    def _count(self, since: float | None) -> float:
        return 0 if since is None else max(0, self._seen_at - since)
