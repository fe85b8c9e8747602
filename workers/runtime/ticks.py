"""Ticks: every second each worker does its tick action, and sees whether its own consumer consumes.

It is what makes Celery's messages dispensable: one that is lost is replaced by the next tick.

The times here and those of the watchdog know of each other: whatever Redis does, a call of the
tick ends before the watchdog looks for a fault, and what was slow is no fault of the consumer's.
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
from minequeue.workers.runtime.self_test import SelfTest
from minequeue.workers.runtime.watchdog import (
    HUNG_S,
    LOST_S,
    STOP_S,
    STUCK_S,
    Watchdog,
    end_this_worker,
    liveness_file,
)

PERIOD_S = 1.0
# a call of the ledger in a worker: the next tick, and the next run, are this call once more
CALL_S = 2.0
SLOW_S = CALL_S  # a tick that took longer says nothing about the consumer
_SELF_TEST_S = 2.0  # a self-test message that has not come back by then is sent again
_log = logging.getLogger(__name__)


class Ticks:
    """Ticks in a thread of the worker's main process.

    Args:
        worker: the Celery worker.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._background = Background("tick", self._run, pause_s=PERIOD_S)
        self._done_at = time.monotonic()
        self.self_test = SelfTest()
        self.wanted: int | None = None  # miners, by the last look; None where nobody looked

    def start(self) -> None:
        """Begin."""
        self._done_at = time.monotonic()
        self._background.start()

    def stop(self) -> None:
        """End, and say that the worker leaves."""
        self._background.stop()
        self._attempt(self._leave)

    def find_fault(self) -> str | None:
        """What is wrong with this worker, as far as its tick can tell."""
        took_s = time.monotonic() - self._done_at
        if took_s > STUCK_S:
            return f"the tick has not ended for {took_s:.0f} s"
        if self.self_test.silent_s > HUNG_S:
            return f"the consumer has read nothing for {self.self_test.silent_s:.0f} s"
        if self.self_test.lost_s > LOST_S:
            return f"the consumer has not connected for {self.self_test.lost_s:.0f} s"
        return None

    def _run(self) -> None:
        began = time.monotonic()
        was_answered = self._attempt(self._tick)
        self._done_at = time.monotonic()
        if was_answered and self._done_at - began <= SLOW_S:
            self.self_test.note_connection(getattr(self._worker.consumer, "connection", None))
        else:
            self.self_test.excuse()

    def _tick(self) -> None:
        app, name = self._worker.app, self._worker.hostname
        self.wanted = app.tick_action.run(self._worker)
        if not self.self_test.is_waiting(_SELF_TEST_S):
            self.self_test.note_sent()
            app.send_self_test(name)

    def _leave(self) -> None:
        self._worker.app.tick_action.leave(self._worker)
        self._worker.app.forget_self_test(self._worker.hostname)

    def _attempt(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except (MinequeueError, OperationalError) as error:
            _log.warning("tick: %s", error)
            return False
        return True


class TickStep(bootsteps.StartStopStep):
    """Starts and stops tick and watchdog with their worker."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        worker.minequeue_ticks = Ticks(worker)
        self._watchdog = Watchdog(
            worker.minequeue_ticks.find_fault,
            lambda: bool(worker.minequeue_ticks.self_test.has_passed),
            liveness_file(worker.app.liveness_dir, worker.hostname),
            end_this_worker,
        )

    def start(self, worker: Any) -> None:
        """Begin with the worker."""
        worker.minequeue_ticks.start()
        self._watchdog.start()

    def stop(self, worker: Any) -> None:
        """End before the pool does, and bound what is left: whatever hangs is ended then."""
        self._watchdog.stop()
        limit = threading.Timer(STOP_S, end_this_worker)
        limit.daemon = True
        limit.start()
        worker.minequeue_ticks.stop()
