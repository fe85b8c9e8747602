"""What a worker does at each tick, besides its tasks: a miner's action, and the resolver's."""

import logging
from typing import Any, Protocol

from celery.worker import state

from minequeue.chain.scaling import backlog
from minequeue.workers.runtime.ecs_protection import Protection

_log = logging.getLogger(__name__)


class TickAction(Protocol):
    """What a worker does at each tick; each method raises MinequeueError or OperationalError."""

    def run(self, worker: Any) -> int | None:
        """Do it once, for the Celery worker; gives how many miners are wanted, if it knows."""

    def leave(self, worker: Any) -> None:
        """Say that the worker ends."""


class MinerTickAction:
    """Send the heartbeat, and wake miners that are missing.

    Args:
        protection: is told whether a run is under way; None where nobody scales the worker in.
    """

    def __init__(self, protection: Protection | None = None) -> None:
        self._protection = protection
        self._warning: str | None = None  # the one in force

    def run(self, worker: Any) -> int | None:
        """As the protocol says."""
        if self._protection:  # first, since it does not need the server
            self._protection.tell(is_mining=bool(state.active_requests))
        crew = worker.app.crew.get()
        crew.fleet.send_heartbeat(worker.hostname, worker.pool.num_processes, crew.kernel)
        reading, decision = crew.wake_ups.wake()
        self._warn(backlog.warn_of_tip(reading))
        wanted: int = decision.wanted
        return wanted

    def _warn(self, warning: str | None) -> None:
        """Log it where it is another than before."""
        if warning != self._warning:
            _log.warning(warning or "The tip is no longer of the future.")
        self._warning = warning

    def leave(self, worker: Any) -> None:
        """As the protocol says."""
        worker.app.crew.get().fleet.leave(worker.hostname)


class ResolverTickAction:
    """Begin to resolve where it is due: somebody asked, the tip moved, or time has passed."""

    def run(self, worker: Any) -> int | None:
        """As the protocol says."""
        if worker.app.resolver.get().is_due():
            worker.app.send_resolve()
        return None

    def leave(self, worker: Any) -> None:
        """As the protocol says: nobody counts resolvers."""
