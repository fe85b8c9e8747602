"""The sweep: every second each worker does its duty, and sees whether its own consumer consumes.

It is what makes Celery's messages dispensable: one that is lost is replaced by the next sweep.

The times here and those of the watchdog know of each other: whatever Redis does, a call of the
sweep ends before the watchdog looks for a fault, and what was slow is no fault of the consumer's.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import bootsteps
from kombu.exceptions import OperationalError

from minequeue.chain.background import Background
from minequeue.chain.errors import MinequeueError
from minequeue.workers.runtime.heartbeat import Heart
from minequeue.workers.runtime.watchdog import (
    HUNG_S,
    LOST_S,
    STOP_S,
    STUCK_S,
    Watchdog,
    end_this_worker,
    sign_path,
)

PERIOD_S = 1.0
# a call of the ledger in a worker: the next sweep, and the next run, are this call once more
CALL_S = 2.0
SLOW_S = CALL_S  # a sweep that took longer says nothing about the consumer
_PULSE_S = 2.0  # a pulse that has not come back by then is sent again
_log = logging.getLogger(__name__)


class Sweep:
    """Sweeps in a thread of the worker's main process.

    Args:
        worker: the Celery worker.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._background = Background("sweep", self._run, pause_s=PERIOD_S)
        self._done_at = time.monotonic()
        self.heart = Heart()
        self.wanted: int | None = None  # miners, by the last look; None where nobody looked

    def start(self) -> None:
        """Begin."""
        self._background.start()

    def stop(self) -> None:
        """End, and say that the worker leaves."""
        self._background.stop()
        self._attempt(self._leave)

    def find_fault(self) -> str | None:
        """What is wrong with this worker, as far as its sweep can tell."""
        took_s = time.monotonic() - self._done_at
        if took_s > STUCK_S:
            return f"the sweep has not ended for {took_s:.0f} s"
        if self.heart.silent_s > HUNG_S:
            return f"the consumer has read nothing for {self.heart.silent_s:.0f} s"
        if self.heart.lost_s > LOST_S:
            return f"the consumer has not connected for {self.heart.lost_s:.0f} s"
        return None

    def _run(self) -> None:
        began = time.monotonic()
        was_answered = self._attempt(self._sweep)
        self._done_at = time.monotonic()
        if was_answered and self._done_at - began <= SLOW_S:
            self.heart.look(getattr(self._worker.consumer, "connection", None))
        else:
            self.heart.excuse()

    def _sweep(self) -> None:
        app, name = self._worker.app, self._worker.hostname
        self.wanted = app.duty.sweep(self._worker)
        if not self.heart.is_waiting(_PULSE_S):
            self.heart.sent()
            app.send_pulse(name)

    def _leave(self) -> None:
        self._worker.app.duty.leave(self._worker)
        self._worker.app.forget_pulse(self._worker.hostname)

    def _attempt(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except (MinequeueError, OperationalError) as error:
            _log.warning("sweep: %s", error)
            return False
        return True


class SweepStep(bootsteps.StartStopStep):
    """Starts and stops sweep and watchdog with their worker."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        worker.minequeue_sweep = Sweep(worker)
        self._watchdog = Watchdog(
            worker.minequeue_sweep.find_fault,
            lambda: bool(worker.minequeue_sweep.heart.has_beaten),
            sign_path(worker.app.signs, worker.hostname),
            end_this_worker,
        )

    def start(self, worker: Any) -> None:
        """Begin with the worker."""
        worker.minequeue_sweep.start()
        self._watchdog.start()

    def stop(self, worker: Any) -> None:
        """End before the pool does, and bound what is left: whatever hangs is ended then."""
        self._watchdog.stop()
        limit = threading.Timer(STOP_S, end_this_worker)
        limit.daemon = True
        limit.start()
        worker.minequeue_sweep.stop()
