"""SIGKILL of each part of a stack."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

import psutil
import redis

from minequeue.compose.stack.alive import is_alive
from tests.chaos.field import TIMEOUT_S, Field, Kind
from tests.waiting import wait_for


class Kill:
    """Kills processes of one part, and measures how long work stands still.

    Args:
        name: of the fault.
        find: gives those that may be killed.
        is_all: kill all of them, else one.
        times: the list of figures that the time to the next block goes to, or None.
    """

    kind: Kind = "own"

    def __init__(
        self,
        name: str,
        find: Callable[[Field], Sequence[psutil.Process]],
        *,
        is_all: bool = True,
        times: str | None = None,
    ) -> None:
        self.name = name
        self._find = find
        self._is_all = is_all
        self._times = times

    def strike(self, field: Field, drawn: Random) -> None:
        found = wait_for(lambda: self._find(field), f"a process for {self.name}", TIMEOUT_S)
        victims = found if self._is_all else [drawn.choice(found)]
        for victim in victims:
            with suppress(psutil.NoSuchProcess):  # it went with its parent
                victim.kill()
        since = time.monotonic()
        for victim in victims:
            wait_for(lambda v=victim: not is_alive(v), "the death of what was killed")  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        if self._times == "resumed":
            wait_for(lambda: _answers(field), "the server's return", TIMEOUT_S)
            since = time.monotonic()
        took_s = field.measure_next_block(since)
        if self._times:
            getattr(field.figures, self._times).append(took_s)

    def heal(self, field: Field) -> None:
        field.wait_until_web_serves()


class KillSupervisor:
    """Kills the supervisor, and starts the stack again as its user would."""

    name = "kill supervisor"
    kind: Kind = "own"

    def strike(self, field: Field, drawn: Random) -> None:
        field.stack.kill()
        time.sleep(drawn.uniform(0, 0.5))  # the parts go on alone for a while
        assert field.stack.processes()

    def heal(self, field: Field) -> None:
        field.stack.start()
        assert "that an earlier start had left behind" in field.stack.said()


def _answers(field: Field) -> bool:
    try:
        with field.admin() as server:
            return bool(server.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False
