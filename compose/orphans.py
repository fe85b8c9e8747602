"""Ending what an earlier supervisor left behind when it was killed.

Every process of a stack, and whatever that starts, carries the stack's mark in its environment.
"""

import os
from collections.abc import Iterator
from contextlib import suppress

import psutil

from compose.settings import STACK_MARK


def end_orphans(mark: str, *, grace_s: float) -> int:
    """End every process that carries ``mark``: asked first, after ``grace_s`` killed.

    Returns:
        How many there were.
    """
    found = list(_find(mark))
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(found, grace_s)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, grace_s)
    return len(found)


def _find(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(STACK_MARK) == mark:
                yield process
        except psutil.Error:
            continue  # it ended meanwhile, or is somebody else's
