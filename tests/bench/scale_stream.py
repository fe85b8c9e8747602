"""Reading the whole chain, quickly and slowly, and what that costs a web process."""

import threading
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from types import TracebackType
from urllib.parse import urlsplit

import psutil

from tests.stack import Stack
from tests.waiting import wait_for

MIB = 2**20
_PART_BYTES = MIB
_LOOK_S = 0.02  # between two looks at the processes' memory
_STALL_S = 5.0  # how long the slow reader reads nothing


@dataclass(frozen=True, slots=True)
class Reading:
    """One read of GET /chain.

    Attributes:
        size: the answer's bytes, as far as they were read.
        took_s: until the last byte.
        grown: by how many bytes the web process grew that grew most.
    """

    size: int
    took_s: float
    grown: int


def read_whole(stack: Stack) -> Reading:
    """Read all of GET /chain as quickly as it comes, from a web tier that has just begun."""
    processes = _restart_web(stack)
    with PeakMemory(processes) as peak:
        began = time.perf_counter()
        size = sum(map(len, _parts(stack)))
        return Reading(size, time.perf_counter() - began, peak.grown())


def read_a_little(stack: Stack) -> Reading:
    """Read the first part of GET /chain, nothing for a while, and then no more."""
    processes = _restart_web(stack)
    with PeakMemory(processes) as peak:
        began = time.perf_counter()
        parts = _parts(stack)
        size = len(next(parts))
        time.sleep(_STALL_S)
        parts.close()
        return Reading(size, time.perf_counter() - began, peak.grown())


class PeakMemory:
    """Looks at the resident memory of processes from a thread, from beginning to end."""

    def __init__(self, processes: list[psutil.Process]) -> None:
        self._before = {process: process.memory_info().rss for process in processes}
        self._peak = dict(self._before)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def grown(self) -> int:
        """By how many bytes that one grew so far that grew most."""
        return max(self._peak[process] - self._before[process] for process in self._peak)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            for process in self._peak:
                self._peak[process] = max(self._peak[process], process.memory_info().rss)


def _parts(stack: Stack) -> Generator[bytes]:
    address = urlsplit(stack.url)
    with closing(HTTPConnection(str(address.hostname), address.port, timeout=60)) as connection:
        connection.request("GET", "/chain")
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        while part := answer.read(_PART_BYTES):
            yield part


def _restart_web(stack: Stack) -> list[psutil.Process]:
    """Let the web tier begin anew, so that memory used before hides no growth; its processes."""
    before = _leader(stack)
    assert before is not None
    before.kill()

    def find_next() -> psutil.Process | None:
        leader = _leader(stack)
        is_new = leader is not None and leader != before
        return leader if is_new and stack.get("/health/ready").status == 200 else None

    return wait_for(find_next, "the web tier's restart").children(recursive=True)


def _leader(stack: Stack) -> psutil.Process | None:
    """The web tier's first process, the supervisor's own child; those that serve are its."""
    assert stack.process is not None
    children = (web for web in stack.processes_of("web") if web.ppid() == stack.process.pid)
    return next(children, None)
