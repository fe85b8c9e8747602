"""Counts refusals, and takes them to the ledger once a second, so that a refusal costs no call."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from minequeue.chain.background import Background
from minequeue.chain.errors import MinequeueError

_PERIOD_S = 1.0
_log = logging.getLogger(__name__)


class Refusals:
    """Counts in this process; what is counted while the server is away is taken there later.

    Args:
        store: adds counts to those of all processes.
    """

    def __init__(self, store: Callable[[Mapping[str, int]], None]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._background = Background("refusals", self._flush_or_warn, delay_s=_PERIOD_S)
        self._has_warned = False  # of this outage

    def count(self, name: str, times: int = 1) -> None:
        """Count refusals by the name of their problem; returns at once and never fails."""
        with self._lock:
            self._counts[name] += times
        self._background.request()

    def flush(self) -> None:
        """Take what was counted to the ledger.

        Raises:
            MinequeueError: the server is away; it is still counted here.
        """
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            if counts:
                self._store(counts)
        except MinequeueError:
            with self._lock:
                self._counts += counts
            raise

    def _flush_or_warn(self) -> None:
        try:
            self.flush()
            self._has_warned = False
        except MinequeueError as error:
            self._background.request()
            if not self._has_warned:
                _log.warning("refusals are not counted yet: %s", error)
                self._has_warned = True
