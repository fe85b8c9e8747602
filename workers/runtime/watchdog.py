"""The watchdog: ends a worker that works no more, so that whoever started it starts another.

It also keeps a file fresh as long as all is well, for `minequeue worker --check` and the probes of
containers. A server that is away is not the worker's fault: no restart would mend it.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from minequeue.chain.background import Background
from minequeue.chain.moment import is_ahead

HUNG_S = 5.0  # for so long no pulse may come back to a connected consumer while Redis answers
LOST_S = 10.0  # for so long the consumer may take to connect while Redis answers
STUCK_S = 15.0  # for so long the sweep may take; its calls of Redis are bounded by less
STOP_S = 9.0  # for so long a worker may take to stop; a run ends after two
FRESH_S = 10.0  # a file that was touched longer ago is no sign of life
_PERIOD_S = 0.5
_log = logging.getLogger(__name__)


class Watchdog:
    """Watches in a thread of its own, that waits for nothing but time.

    Args:
        find_fault: says what is wrong, or None.
        is_proven: whether the worker has ever worked; before, it gives no sign.
        sign: the file to keep fresh.
        end: ends the worker.
    """

    def __init__(
        self,
        find_fault: Callable[[], str | None],
        is_proven: Callable[[], bool],
        sign: Path,
        end: Callable[[], None],
    ) -> None:
        self._find_fault = find_fault
        self._is_proven = is_proven
        self._sign = sign
        self._end = end
        self._background = Background("watchdog", self.look, pause_s=_PERIOD_S)

    def start(self) -> None:
        """Begin."""
        self._background.start()

    def stop(self) -> None:
        """End, and leave no sign of life."""
        self._background.stop()
        self._sign.unlink(missing_ok=True)

    def look(self) -> None:
        """Look once."""
        fault = self._find_fault()
        if fault:
            _log.critical("%s; this worker ends, for its supervisor to start another", fault)
            self._end()
        elif self._is_proven():
            _touch(self._sign)


def end_this_worker() -> None:
    """Kill this process and its children at once; what hangs does not stop when asked."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os.kill(os.getpid(), signal.SIGKILL)


def is_fresh(directory: Path, worker: str | None, *, since: float = 0) -> bool:
    """Whether ``worker``, or any one where it is None, gave a sign of life in ``directory`` lately.

    Args:
        directory: where the signs are.
        worker: its name.
        since: an older sign does not count, Unix seconds.
    """
    signs = [sign_path(directory, worker)] if worker else list(directory.glob("*.alive"))
    moments = [_signed_at(sign) for sign in signs]
    now = time.time()
    return any(at > since and is_ahead(at + FRESH_S, now, FRESH_S) for at in moments)


def sign_path(directory: Path, worker: str) -> Path:
    """The file of ``worker``'s sign of life."""
    return directory / f"{worker.replace('/', '_')}.alive"


def _signed_at(sign: Path) -> float:
    try:
        return sign.stat().st_mtime
    except OSError:
        return 0


def _touch(sign: Path) -> None:
    try:
        sign.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sign.touch()
    except OSError as error:
        _log.warning("no sign of life for probes can be left: %s", error)
