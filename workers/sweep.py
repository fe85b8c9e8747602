"""The sweep: every second each worker says that it lives, and rings for miners that are missing.

It is what makes Celery's messages dispensable: one that is lost is replaced by the next sweep.
"""

import logging
import threading
from typing import Any

from celery import bootsteps
from kombu.exceptions import OperationalError

from chain.errors import MinequeueError

PERIOD_S = 1.0
_log = logging.getLogger(__name__)


class Sweep:
    """Sweeps in a thread of the worker's main process.

    Args:
        worker: the Celery worker.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)
        self.wanted: int | None = None  # miners, by the last look; None before the first

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and say that the worker leaves."""
        self._stop.set()
        self._thread.join()
        crew = self._worker.app.crew.get()
        self._attempt(lambda: crew.fleet.leave(self._worker.hostname))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._attempt(self._sweep)
            self._stop.wait(PERIOD_S)

    def _sweep(self) -> None:
        crew = self._worker.app.crew.get()
        crew.fleet.beat(self._worker.hostname, self._worker.pool.num_processes, crew.kernel)
        self.wanted = crew.bell.ring().wanted

    def _attempt(self, action: Any) -> None:
        try:
            action()
        except (MinequeueError, OperationalError) as error:
            _log.warning("sweep: %s", error)


class SweepStep(bootsteps.StartStopStep):
    """Starts and stops the sweep with its worker."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        worker.minequeue_sweep = Sweep(worker)

    def start(self, worker: Any) -> None:
        """Begin with the worker."""
        worker.minequeue_sweep.start()

    def stop(self, worker: Any) -> None:
        """End before the pool does."""
        worker.minequeue_sweep.stop()
