"""Ending what an earlier supervisor left behind when it was killed.

Every process of a stack, and whatever that starts, carries the stack's mark in its environment.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from minequeue.compose.config.settings import STACK_MARK
from minequeue.compose.stack.alive import is_alive

_GONE_S = 5.0  # how long a killed process may take to go
_PERIOD_S = 0.02  # what is not our child cannot be waited for but by looking


def end_orphans(data_dir: Path, *, grace_s: float) -> int:
    """End every process of a stack on ``data_dir``: asked first, after ``grace_s`` killed.

    Args:
        data_dir: its path without links; a mark that leads there is one, whatever links it has.
        grace_s: seconds.

    Returns:
        How many there were.
    """
    found = list(_find(data_dir))
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in _wait(found, grace_s):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(found, _GONE_S)
    return len(found)


def _wait(processes: list[psutil.Process], most_s: float) -> list[psutil.Process]:
    """Wait until all have ended, and give those that have not."""
    deadline = time.monotonic() + most_s
    while (alive := [process for process in processes if is_alive(process)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(_PERIOD_S)
    return alive


def _find(data_dir: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(STACK_MARK)
            if process.pid != os.getpid() and mark and Path(mark).resolve() == data_dir:
                yield process
        except psutil.Error:
            continue  # it ended meanwhile, or is somebody else's
