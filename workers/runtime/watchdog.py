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

# for so long no self-test message may come back to a connected consumer while Redis answers
HUNG_S = 5.0
LOST_S = 10.0  # for so long the consumer may take to connect while Redis answers
STUCK_S = 15.0  # for so long the tick may take; its calls of Redis are bounded by less
STOP_S = 9.0  # for so long a worker may take to stop; a run ends after two
FRESH_S = 10.0  # a liveness file that was touched longer ago does not count
_PERIOD_S = 0.5
_log = logging.getLogger(__name__)


class Watchdog:
    """Watches in a thread of its own, that waits for nothing but time.

    Args:
        find_fault: says what is wrong, or None.
        is_proven: whether the worker has ever worked; before, nothing is touched.
        file: the file to keep fresh.
        end: ends the worker.
    """

    def __init__(
        self,
        find_fault: Callable[[], str | None],
        is_proven: Callable[[], bool],
        file: Path,
        end: Callable[[], None],
    ) -> None:
        self._find_fault = find_fault
        self._is_proven = is_proven
        self._file = file
        self._end = end
        self._background = Background("watchdog", self.look, pause_s=_PERIOD_S)

    def start(self) -> None:
        """Begin."""
        self._background.start()

    def stop(self) -> None:
        """End, and remove the liveness file."""
        self._background.stop()
        self._file.unlink(missing_ok=True)

    def look(self) -> None:
        """Look once."""
        fault = self._find_fault()
        if fault:
            _log.critical("%s; this worker ends, for its supervisor to start another", fault)
            self._end()
        elif self._is_proven():
            _touch(self._file)


def end_this_worker() -> None:
    """Kill this process and its children at once; what hangs does not stop when asked."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os.kill(os.getpid(), signal.SIGKILL)


def is_fresh(directory: Path, worker: str | None, *, since: float = 0) -> bool:
    """Whether ``worker``, or any one where it is None, has a fresh liveness file in ``directory``.

    Args:
        directory: of the files.
        worker: its name.
        since: an older file does not count, Unix seconds.
    """
    files = [liveness_file(directory, worker)] if worker else list(directory.glob("*.alive"))
    moments = [_touched_at(file) for file in files]
    now = time.time()
    return any(at > since and is_ahead(at + FRESH_S, now, FRESH_S) for at in moments)


def liveness_file(directory: Path, worker: str) -> Path:
    """The liveness file of ``worker``."""
    return directory / f"{worker.replace('/', '_')}.alive"


def _touched_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0


def _touch(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()
    except OSError as error:
        _log.warning("no liveness file for probes can be written: %s", error)
