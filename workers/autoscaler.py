"""The pool's size follows the ledger's backlog, not the messages that Celery holds."""

import time
from typing import Any

from celery.worker.autoscale import Autoscaler

QUIET_S = 10.0  # the backlog must be small for so long before a process is let go
_LOOK_S = 1.0


class BacklogAutoscaler(Autoscaler):
    """Celery's autoscaler with another measure of need."""

    def __init__(self, pool: Any, most: int, least: int = 0, **options: Any) -> None:
        super().__init__(pool, most, least, **options, keepalive=_LOOK_S)
        self._needed_at = time.monotonic()

    def _maybe_scale(self, req: Any = None) -> bool:  # noqa: ARG002  # Celery's signature
        wanted = self.worker.minequeue_sweep.wanted
        if wanted is None:
            return False
        wanted = max(self.min_concurrency, min(wanted, self.max_concurrency))
        now = time.monotonic()
        if wanted >= self.processes:
            self._needed_at = now
        if wanted > self.processes:
            self.scale_up(wanted - self.processes)
            return True
        if wanted < self.processes and now - self._needed_at >= QUIET_S:
            self._shrink(  # type: ignore[attr-defined]  # celery-types leaves it out
                self.processes - wanted
            )
            return True
        return False
