"""A careful client that sends one burst after the other, until it is told to stop."""

import asyncio
import threading
from itertools import count

from minequeue.compose.burst.client import send
from minequeue.compose.burst.plan import Plan
from minequeue.compose.burst.record import Record

_PIECE = 96  # requests of a burst
_CONCURRENCY = 8
_PAUSE_S = 0.1  # between bursts
_MAX_BURSTS = 1000  # bursts of a round, so that each has a seed of its own


class Load:
    """Bursts in a thread of their own.

    Args:
        url: the node's.
        record: where receipts go.
        seed: of the round.
    """

    def __init__(self, url: str, record: Record, seed: int) -> None:
        self._url = url
        self._record = record
        self._seed = seed
        self._stop = threading.Event()
        self._may_send = threading.Event()
        self._is_idle = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> "Load":
        self._may_send.set()
        self._thread.start()
        return self

    def pause(self) -> None:
        """Wait until the burst under way is over, and begin no other."""
        self._may_send.clear()
        assert self._is_idle.wait(60), "a burst has not ended for 60 s"

    def resume(self) -> None:
        self._is_idle.clear()
        self._may_send.set()

    def finish(self, timeout_s: float) -> None:
        """Wait until every request that was begun is accepted."""
        self._stop.set()
        self._may_send.set()
        self._thread.join(timeout_s)
        assert not self._thread.is_alive(), f"requests were not accepted within {timeout_s:g} s"
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        try:
            for number in count(self._seed * _MAX_BURSTS):
                if not self._may_send.is_set():
                    self._is_idle.set()
                    self._may_send.wait()
                if self._stop.wait(_PAUSE_S):
                    return
                asyncio.run(send(self._url, _plan(number), self._record))
        except BaseException as error:  # noqa: BLE001  # raised again by who waits for the end
            self._failure = error


def _plan(seed: int) -> Plan:
    return Plan(
        requests=_PIECE,
        concurrency=_CONCURRENCY,
        submit=0.88,
        mine=0.04,
        read=0.08,
        seed=seed,
        retry=True,
    )
