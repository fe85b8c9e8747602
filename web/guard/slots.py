"""How many may take long at once: each takes a thread, or memory, from those who are quick."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# of eight threads of a process, so many may be held by requests that wait, by readers of large
# answers and by writers of bodies; the rest is for all others
WAITERS, READERS, WRITERS = 1, 2, 3


class Slots:
    """A number of slots; safe for use by many threads.

    Args:
        slots: how many may be held at once.
        slow_s: whoever has a slot for longer is slow.
        timeout_s: how long one who comes waits for a slot, unless all are taken by slow ones.
    """

    def __init__(self, slots: int, slow_s: float = 0.0, timeout_s: float = 0.0) -> None:
        self._count = slots
        self._slow_s = slow_s
        self._timeout_s = timeout_s
        self._slots = threading.BoundedSemaphore(slots)
        self._since: dict[object, float] = {}  # when each slot was taken

    def acquire(self, *, for_later: bool = False) -> object | None:
        """Take a slot, to be given back with :meth:`release`; None if there is none.

        Args:
            for_later: its holder is not slow before :meth:`start`.
        """
        if not self._slots.acquire(blocking=False) and not self._wait():
            return None
        slot = object()
        self._since[slot] = math.inf if for_later else time.monotonic()
        return slot

    def start(self, slot: object) -> None:
        """From now on the holder of a slot that was taken for later may become slow."""
        self._since[slot] = time.monotonic()

    def release(self, slot: object) -> None:
        """Give back a slot, in any thread.

        Raises:
            KeyError: it is not taken.
        """
        del self._since[slot]
        self._slots.release()

    @contextmanager
    def hold(self) -> Iterator[bool]:
        """As :meth:`acquire`; the slot is given back at the end."""
        slot = self.acquire()
        try:
            yield slot is not None
        finally:
            if slot is not None:
                self.release(slot)

    def _wait(self) -> bool:
        deadline = time.monotonic() + self._timeout_s
        while (now := time.monotonic()) < deadline:
            slow = sum(now - began >= self._slow_s for began in list(self._since.values()))
            if slow >= self._count:
                break
            # no longer than until another of them may be slow
            if self._slots.acquire(timeout=min(self._slow_s, deadline - now)):
                return True
        return False
