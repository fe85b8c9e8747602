"""Counts refusals, and takes them to the ledger once a second, so that a refusal costs no call."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

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
        self._thread: threading.Thread | None = None
        self._news = threading.Event()

    def count(self, name: str, times: int = 1) -> None:
        """Count refusals by the name of their problem; returns at once and never fails."""
        with self._lock:
            self._counts[name] += times
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
                self._thread.start()
        self._news.set()

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

    def _run(self) -> None:
        is_told = False
        while True:
            self._news.wait()
            time.sleep(_PERIOD_S)
            self._news.clear()
            try:
                self.flush()
                is_told = False
            except MinequeueError as error:
                self._news.set()
                if not is_told:
                    _log.warning("refusals are not counted yet: %s", error)
                    is_told = True
