"""When each block was connected, as one who looks all the time sees it."""

import threading

from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger import Ledger
from minequeue.compose.burst.record import Record

_PERIOD_S = 0.02


class Watch:
    """Looks at the tip in a thread of its own; what it notes is late by its period at most.

    Attributes:
        connected_s: when each block was first seen, by its index, on the record's clock.
    """

    def __init__(self, ledger: Ledger, record: Record) -> None:
        self._ledger = ledger
        self._record = record
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.connected_s: dict[int, float] = {}

    def start(self) -> "Watch":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Look once; where the server is away nothing can be connected either."""
        try:
            tip = self._ledger.blocks.tip().header.index
        except MinequeueError:
            return
        for index in range(len(self.connected_s) + 1, tip + 1):
            self.connected_s[index] = self._record.now_s()

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD_S):
            self.look()
