"""How many answers may take long at once: each takes a thread from those who do not wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WaitingRoom:
    """A room with a number of seats.

    Args:
        seats: how many may be in it at once.
    """

    def __init__(self, seats: int) -> None:
        self._seats = threading.BoundedSemaphore(seats)

    def take(self) -> bool:
        """Take a seat if one is free, and tell whether one was; never waits for a seat."""
        return self._seats.acquire(blocking=False)

    def leave(self) -> None:
        """Give back a seat that was taken, in any thread.

        Raises:
            ValueError: none was.
        """
        self._seats.release()

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """As :meth:`take`; the seat is given back at the end."""
        seated = self.take()
        try:
            yield seated
        finally:
            if seated:
                self.leave()
