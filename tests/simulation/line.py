"""A line of entries that are alike but for when they came, kept by moment and not one by one."""

from collections import deque


class Line:
    """First in, first out.

    Attributes:
        count: how many wait.
    """

    def __init__(self) -> None:
        self.count = 0
        self._arrivals: deque[tuple[int, int]] = deque()  # when (ms), how many

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest came, in milliseconds; None where nobody waits."""
        return self._arrivals[0][0] if self._arrivals else None

    def add(self, count: int, at_ms: int) -> None:
        """So many come at ``at_ms``, which is not before the last who came."""
        if count:
            self._arrivals.append((at_ms, count))
            self.count += count

    def take(self, count: int) -> None:
        """The oldest ``count`` leave.

        Raises:
            IndexError: not so many wait.
        """
        self.count -= count
        while count:
            at_ms, there = self._arrivals.popleft()
            if there > count:
                self._arrivals.appendleft((at_ms, there - count))
                return
            count -= there
