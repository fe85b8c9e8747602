"""How many answers may be held back at once: each takes a thread from those who do not wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WaitingRoom:
    """A room with a number of seats.

    Args:
        seats: how many may wait at once.
    """

    def __init__(self, seats: int) -> None:
        self._seats = threading.BoundedSemaphore(seats)

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """Take a seat if one is free, and tell whether one was; never waits for a seat."""
        seated = self._seats.acquire(blocking=False)
        try:
            yield seated
        finally:
            if seated:
                self._seats.release()
