"""How many may take long at once: each takes a thread, or memory, from those who are quick."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class WaitingRoom:
    """A room with a number of seats; safe for use by many threads.

    Args:
        seats: how many may be in it at once.
        slow_s: whoever has a seat for longer is slow.
        patience_s: how long one who comes waits for a seat, unless all are taken by slow ones.
    """

    def __init__(self, seats: int, slow_s: float = 0.0, patience_s: float = 0.0) -> None:
        self._count = seats
        self._slow_s = slow_s
        self._patience_s = patience_s
        self._seats = threading.BoundedSemaphore(seats)
        self._since: dict[object, float] = {}  # when each seat was taken

    def take(self, *, for_later: bool = False) -> object | None:
        """Take a seat, to be given back with :meth:`leave`; None if there is none.

        Args:
            for_later: its holder is not slow before :meth:`start`.
        """
        if not self._seats.acquire(blocking=False) and not self._wait():
            return None
        seat = object()
        self._since[seat] = math.inf if for_later else time.monotonic()
        return seat

    def start(self, seat: object) -> None:
        """From now on the holder of a seat that was taken for later may become slow."""
        self._since[seat] = time.monotonic()

    def leave(self, seat: object) -> None:
        """Give back a seat, in any thread.

        Raises:
            KeyError: it is not taken.
        """
        del self._since[seat]
        self._seats.release()

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """As :meth:`take`; the seat is given back at the end."""
        seat = self.take()
        try:
            yield seat is not None
        finally:
            if seat is not None:
                self.leave(seat)

    def _wait(self) -> bool:
        deadline = time.monotonic() + self._patience_s
        while (now := time.monotonic()) < deadline:
            slow = sum(now - began >= self._slow_s for began in list(self._since.values()))
            if slow >= self._count:
                break
            # no longer than until another of them may be slow
            if self._seats.acquire(timeout=min(self._slow_s, deadline - now)):
                return True
        return False
