"""Miners that come some time after they are wanted, and go at once."""

from collections import deque


class Fleet:
    """How many miners there are.

    Args:
        least: how many there are at first.
        start_delay_s: how long one takes to come, in seconds.

    Attributes:
        running: those that can mine.
        starting: those that were asked for and are not there yet.
        scale_outs: how often more were asked for.
        scale_ins: how often some were let go.
        turns: how often the one followed the other.
    """

    def __init__(self, least: int, start_delay_s: float) -> None:
        self.running = least
        self.scale_outs = 0
        self.scale_ins = 0
        self.turns = 0
        self._start_delay_s = start_delay_s
        self._starting: deque[tuple[float, int]] = deque()  # when they are there (s), how many
        self._direction = 0

    @property
    def starting(self) -> int:
        """Those that were asked for and are not there yet."""
        return sum(count for _, count in self._starting)

    @property
    def size(self) -> int:
        """All that cost something."""
        return self.running + self.starting

    def advance(self, now_s: float) -> None:
        """Those whose time has come are there."""
        while self._starting and self._starting[0][0] <= now_s:
            self.running += self._starting.popleft()[1]

    def scale_to(self, wanted: int, now_s: float) -> None:
        """Ask for those that are missing, or let go those that are too many, the last first."""
        surplus = self.size - wanted
        if surplus < 0:
            self._starting.append((now_s + self._start_delay_s, -surplus))
            self.scale_outs += 1
            self._turn(1)
        elif surplus > 0:
            while surplus and self._starting:
                when, count = self._starting.pop()
                if count > surplus:
                    self._starting.append((when, count - surplus))
                surplus -= min(count, surplus)
            self.running -= surplus
            self.scale_ins += 1
            self._turn(-1)

    def _turn(self, direction: int) -> None:
        if self._direction == -direction:
            self.turns += 1
        self._direction = direction
