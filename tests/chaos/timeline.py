"""What a node said of its queue, four times a second, and what was done to it meanwhile."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from minequeue.compose.client.node_client import NodeClient, NodeError

PERIOD_S = 0.25
_TIMEOUT_S = 10.0  # for one answer


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at GET /queue.

    Attributes:
        at_s: when, in seconds of the timeline's clock.
        queue: the answer; None where none came.
    """

    at_s: float
    queue: dict[str, Any] | None


@dataclass
class Timeline:
    """Samples and marks of one run; inside a ``with`` a thread of its own takes the samples.

    Attributes:
        url: the node's; "" for one without GET /queue, which is then never asked.
        now_s: the clock, such as that of the client's record.
        samples: in order.
        marks: when something was done, and what.
    """

    url: str
    now_s: Callable[[], float]
    samples: list[Sample] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def mark(self, text: str) -> None:
        """Note that ``text`` happens now."""
        self.marks.append((self.now_s(), text))

    def look(self) -> None:
        """Take one sample."""
        at_s = self.now_s()
        try:
            queue = NodeClient(self.url, patience_s=_TIMEOUT_S).call("GET", "/queue")[1]
        except NodeError:
            queue = None
        self.samples.append(Sample(at_s, queue))

    def __enter__(self) -> "Timeline":
        if self.url:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(PERIOD_S):
            self.look()
