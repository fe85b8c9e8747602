"""The pool follows the decision of chain/scaling/policy.py, not the messages that Celery holds."""

from typing import Any

from celery.worker.autoscale import Autoscaler

_LOOK_S = 1.0


class BacklogAutoscaler(Autoscaler):
    """Celery's autoscaler with another measure of need."""

    def __init__(self, pool: Any, most: int, least: int = 0, **options: Any) -> None:
        super().__init__(pool, most, least, **options, keepalive=_LOOK_S)

    def _maybe_scale(self, req: Any = None) -> bool:  # noqa: ARG002  # Celery's signature
        wanted = self.worker.minequeue_ticks.wanted
        if wanted is None:
            return False
        wanted = max(self.min_concurrency, min(wanted, self.max_concurrency))
        if wanted > self.processes:
            self.scale_up(wanted - self.processes)
            return True
        if wanted < self.processes:
            self._shrink(  # type: ignore[attr-defined]  # celery-types leaves it out
                self.processes - wanted
            )
            return True
        return False
