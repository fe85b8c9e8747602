"""SIGSTOP of a process, and SIGCONT after a while."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

import psutil

from tests.chaos.field import TIMEOUT_S, Field, Kind
from tests.chaos.figures import MAX_FAULT_S
from tests.waiting import wait_for

_MIN_S = 0.5


class Freeze:
    """Freezes one process of those that ``find`` gives."""

    kind: Kind = "own"

    def __init__(self, name: str, find: Callable[[Field], Sequence[psutil.Process]]) -> None:
        self.name = name
        self._find = find
        self._frozen: psutil.Process | None = None

    def strike(self, field: Field, drawn: Random) -> None:
        found = wait_for(lambda: self._find(field), f"a process for {self.name}", TIMEOUT_S)
        self._frozen = drawn.choice(found)
        self._frozen.suspend()
        wait_for(self._is_frozen, "the freeze")
        time.sleep(drawn.uniform(_MIN_S, MAX_FAULT_S))  # the fault itself is a time

    def heal(self, field: Field) -> None:
        if self._frozen:
            with suppress(psutil.NoSuchProcess):  # somebody ended what did not answer
                self._frozen.resume()
        field.wait_until_web_serves()

    def _is_frozen(self) -> bool:
        assert self._frozen
        return self._frozen.status() == psutil.STATUS_STOPPED
