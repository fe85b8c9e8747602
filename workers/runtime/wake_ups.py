"""Waking miners: as many Celery messages as miners are missing, and no message carries data.

A message that is lost costs a delay: the tick of every worker looks again each second.
"""

import logging
from collections.abc import Callable

from kombu.exceptions import OperationalError

from minequeue.chain.background import Background
from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger import Ledger
from minequeue.chain.scaling.backlog import Reading
from minequeue.chain.scaling.policy import Decision, Policy

_PAUSE_S = 0.05  # one look at the queue serves all the submissions of this time
_log = logging.getLogger(__name__)


class WakeUps:
    """Wakes the miners that are missing.

    Args:
        ledger: to see how many those are.
        send: sends one wake-up to the workers.
        policy: how many miners there may be.
    """

    def __init__(self, ledger: Ledger, send: Callable[[], object], policy: Policy) -> None:
        self._ledger = ledger
        self._send = send
        self._policy = policy

    def wake(self) -> tuple[Reading, Decision]:
        """Wake the miners that are missing; the reading, and the decision that told how many.

        Raises:
            MinequeueError: the ledger is away.
            OperationalError: the broker is away.
        """
        reading, decision = self._ledger.queue.look(self._policy)
        needed = min(decision.need, reading.fleet)
        if needed > reading.miners:
            for _ in range(self._ledger.fleet.note_wake_ups(needed)):
                self._send()
        return reading, decision


class WakeUpThread:
    """Lets a thread that must not wait ask for wake-ups; a thread of its own sends them.

    Args:
        wake: sends them.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._background = Background("wake-ups", self._wake_or_warn, pause_s=_PAUSE_S)

    def __call__(self) -> None:
        """Ask for wake-ups; returns at once and never fails."""
        self._background.request()

    def _wake_or_warn(self) -> None:
        try:
            self._wake()
        except (MinequeueError, OperationalError) as error:
            _log.warning("could not wake a miner, the next tick will: %s", error)
