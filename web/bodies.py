"""Bodies are read on seats, so that those who send slowly cannot keep all threads.

The server hands a request on before its body is there, and nothing ends a read but its sender.
Nearly all bodies are there at once, and a seat is free again in a moment. While all are taken by
slow senders, other bodies are refused, and what has none is served as ever.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from web.problems import Problem

T = TypeVar("T")
_SLOW_S = 0.05  # a body that takes longer was not there


class Bodies:
    """Reads bodies; safe for use by many threads.

    Args:
        seats: how many may be read at once.
    """

    def __init__(self, seats: int) -> None:
        self._most = seats
        self._seats = threading.BoundedSemaphore(seats)
        self._since: dict[int, float] = {}  # when each read began, by its thread

    def read(self, read: Callable[[], T]) -> T:
        """What ``read`` gives, which reads a request's body.

        Raises:
            Problem: as many as may are slow; nothing was read.
        """
        if not self._take_seat():
            raise Problem(
                429,
                "too-many-writers",
                "Too many writers",
                "As many clients as there is room for send their bodies slowly; come again later.",
            )
        thread = threading.get_ident()
        self._since[thread] = time.monotonic()
        try:
            return read()
        finally:
            del self._since[thread]
            self._seats.release()

    def _take_seat(self) -> bool:
        """Take one, and wait a moment for it unless all who have one are known to be slow."""
        if self._seats.acquire(blocking=False):
            return True
        now = time.monotonic()
        slow = sum(now - began > _SLOW_S for began in list(self._since.values()))
        return slow < self._most and self._seats.acquire(timeout=_SLOW_S)
