"""A thread that calls one thing again and again, until it is stopped or its process ends."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Background:
    """Calls ``act`` in a daemon thread of its own; safe for use by many threads.

    Args:
        name: of the thread.
        act: handles the errors that it expects. Any other is logged, once while it repeats, and
            ends nothing, because nobody would start the thread again.
        pause_s: from the end of a call to the next, in seconds.
        delay_s: from a request to its call, in seconds: what comes meanwhile is served with it.
    """

    def __init__(
        self, name: str, act: Callable[[], object], *, pause_s: float = 0, delay_s: float = 0
    ) -> None:
        self._name = name
        self._act = act
        self._pause_s = pause_s
        self._delay_s = delay_s
        self._is_periodic = False
        self._requested = threading.Event()
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._fault = ""  # of the last call

    def start(self) -> None:
        """Call again and again from now on."""
        self._is_periodic = True
        self.request()

    def request(self) -> None:
        """Ask for a call and return at once; one call serves all that asked before it began."""
        self._requested.set()
        if self._thread is None:
            with self._guard:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()

    def stop(self) -> None:
        """Wait for the call that is under way, and make no other."""
        self._stopping.set()
        self._requested.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._requested.wait()
            if self._stopping.wait(self._delay_s):
                return
            if not self._is_periodic:
                self._requested.clear()
            try:
                self._act()
                self._fault = ""
            except Exception as error:  # noqa: BLE001  # see above
                if repr(error) != self._fault:
                    _log.exception("the thread %r goes on after a fault", self._name)
                self._fault = repr(error)
            self._stopping.wait(self._pause_s)
