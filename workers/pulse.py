"""A worker's pulse: a message to itself, to see whether its consumer still consumes.

After the server was away a Celery worker may go on without ever reading its queue again, and look
alive in every other way. The pulse travels like a wake-up, by the same consumer and in the same
read of the server, on a queue of the worker's own. It is answered by the worker's main process, so
that a busy pool does not delay it.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

PULSE = "pulse"  # the name of the message, as a Celery task
STRATEGY = "workers.pulse:answer"  # how Celery is told to handle it
_log = logging.getLogger(__name__)


def queue_of(worker: str, wake_ups: str) -> str:
    """The queue of ``worker``'s pulse beside the one of ``wake_ups``."""
    return f"{wake_ups}.{worker}"


def answer(_task: Any, _app: Any, consumer: Any, **_: Any) -> Callable[..., None]:
    """Celery's extension point: handle the message here, and not in the pool."""
    heart = consumer.controller.minequeue_sweep.heart

    def handle(_message: Any, _body: Any, ack: Callable[..., None], *_: Any) -> None:
        heart.beat()
        ack(_log, consumer.connection_errors)

    return handle


class Heart:
    """Whether the consumer consumes, from what a worker sees of itself.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beat_at = clock()
        self._sent_at: float | None = None  # of a pulse that has not come back
        self.has_beaten = False

    def beat(self) -> None:
        """A pulse came back."""
        self._beat_at = self._clock()
        self._sent_at = None
        self.has_beaten = True

    def is_waiting(self, most_s: float) -> bool:
        """Whether a pulse is under way that was sent less than ``most_s`` ago."""
        return self._sent_at is not None and self._clock() - self._sent_at < most_s

    def sent(self) -> None:
        """A pulse was sent."""
        self._sent_at = self._clock()

    def excuse(self) -> None:
        """No pulse could come back: the server was away. The time until now does not count."""
        self._beat_at = self._clock()
        self._sent_at = None

    @property
    def silent_s(self) -> float:
        """For how long no pulse came back although the server answered, in seconds."""
        return self._clock() - self._beat_at
