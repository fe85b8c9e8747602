"""Bodies are read in slots, so that those who send slowly cannot keep all threads.

The server hands a request on before its body is there, and nothing ends a read but its sender.
Nearly all bodies are there at once, and a slot is free again in a moment. While all are taken by
slow senders, other bodies are refused, and what has none is served as ever.
"""

from collections.abc import Callable
from typing import TypeVar

from minequeue.web.guard.slots import Slots
from minequeue.web.replies.problems import Problem

T = TypeVar("T")
_SLOW_S = 0.05  # a body that takes longer was not there


class BodySlots:
    """Reads bodies; safe for use by many threads.

    Args:
        slots: how many may be read at once.
    """

    def __init__(self, slots: int) -> None:
        self._slots = Slots(slots, _SLOW_S, _SLOW_S)

    def read(self, read: Callable[[], T]) -> T:
        """What ``read`` gives, which reads a request's body.

        Raises:
            Problem: as many as may are slow; nothing was read.
        """
        with self._slots.hold() as has_slot:
            if not has_slot:
                raise Problem(
                    429,
                    "too-many-writers",
                    "Too many writers",
                    "Too many clients are sending their bodies slowly. This body was not read; "
                    "repeat the request later.",
                )
            return read()
