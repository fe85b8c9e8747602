"""Starts the parts of a stack in order, restarts what dies, and stops all in reverse.

One loop takes events one at a time: a death, a restart that is due, a signal. While a part is
starting it also looks, a few times a second, whether that part serves yet, later each second
whether those that serve can still be reached, and once a minute whether a log has become large.
"""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from minequeue.compose.errors import StartRefused
from minequeue.compose.stack.data_dir import log_path, read_tail, rotate_log
from minequeue.compose.stack.part import Part, RunningPart

_LOOK_S = 0.05  # between two looks at a part that is starting
_WATCH_S = 1.0  # between two looks at parts that all serve
_LOGS_S = 60  # between two looks at the logs
# before the restart of a part that died so often in a row without having served in between
_PAUSES_S = (0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0)
_STARTS = 3  # a part that dies so often before it ever served stops the start


@dataclass(frozen=True, slots=True)
class _Died:
    running: RunningPart


@dataclass(frozen=True, slots=True)
class _Restart:
    part: Part


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


_Event = _Died | _Restart | _Stop


class Supervisor:
    """Keeps one stack running.

    Args:
        data_dir: where the logs go.
        parts: what to run.
        announce: tells people one line.
        on_ready: called once, when all parts serve.
    """

    def __init__(
        self,
        data_dir: Path,
        parts: Sequence[Part],
        announce: Callable[[str], None],
        on_ready: Callable[[], None],
    ) -> None:
        self._data_dir = data_dir
        self._waiting = sorted(parts, key=lambda part: part.stage)  # not started yet
        self._announce = announce
        self._on_ready = on_ready
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._running: dict[str, RunningPart] = {}
        self._failed: dict[str, int] = {}  # how many lives in a row ended before they served
        self._begun: set[str] = set()
        self._served: set[str] = set()
        self._logs_seen = time.monotonic()

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, then stop everything.

        Raises:
            StartRefused: a part did not start; everything was stopped.
        """
        with self._signals():
            try:
                self._keep_running()
            finally:
                self._stop_all()

    def _keep_running(self) -> None:
        self._start_next_stage()
        while True:
            match self._next_event():
                case _Stop():
                    self._announce("stopping: current work is finished, everything else is on disk")
                    return
                case _Died(running):
                    self._bury(running)
                case _Restart(part):
                    self._start(part)
                case None:
                    self._look()
                    self._end_lost()
                    self._rotate_logs()

    def _next_event(self) -> _Event | None:
        starting = any(not running.is_ready for running in self._running.values())
        try:
            return self._events.get(timeout=_LOOK_S if starting else _WATCH_S)
        except queue.Empty:
            return None

    def _start_next_stage(self) -> None:
        if not self._waiting:
            self._on_ready()
            return
        stage = self._waiting[0].stage
        for part in [part for part in self._waiting if part.stage == stage]:
            self._waiting.remove(part)
            self._begun.add(part.name)
            self._start(part)

    def _start(self, part: Part) -> None:
        try:
            self._running[part.name] = RunningPart(
                part, self._data_dir, lambda running: self._events.put(_Died(running))
            )
        except OSError as error:  # its log is a directory, say, or there is no room for a process
            self._start_again(part, f"cannot be started ({error})", failed=True)

    def _look(self) -> None:
        """See which of the starting parts serve now, and go on when all do."""
        for running in self._running.values():
            if not running.is_ready and running.part.is_ready(running.began):
                running.is_ready = True
                name = running.part.name
                took_s = time.time() - running.began
                self._announce(f"{name:<8} {running.part.where}  (ready in {took_s:.1f} s)")
                first_time = name not in self._served
                self._served.add(name)
                # a part whose next try is due later is not among those that run
                if first_time and self._begun <= self._served:
                    self._start_next_stage()
                    return

    def _end_lost(self) -> None:
        """Kill what runs and is of no use; its death has it started again."""
        for running in self._running.values():
            if running.is_ready and (loss := running.part.find_loss()):
                self._announce(f"{running.part.name:<8} has failed: {loss}")
                running.is_ready = False  # till it serves again
                running.kill()

    def _rotate_logs(self) -> None:
        if time.monotonic() - self._logs_seen < _LOGS_S:
            return
        self._logs_seen = time.monotonic()
        for name in self._running:
            path = log_path(self._data_dir, name)
            try:
                rotate_log(path)
            except OSError as error:  # a full disk, say, which is no reason to end a stack
                self._announce(f"{path} is large, and cannot be put aside ({error.strerror})")

    def _bury(self, running: RunningPart) -> None:
        """Clear away what is left of a dead part, and have it started again."""
        part = running.part
        running.kill()
        del self._running[part.name]
        self._start_again(part, f"died ({running.describe_end()})", failed=not running.is_ready)

    def _start_again(self, part: Part, why: str, *, failed: bool) -> None:
        """Have it started again, later where it failed several times in a row.

        Raises:
            StartRefused: it has never served, and failed too often.
        """
        failures = self._failed.get(part.name, 0) + 1 if failed else 0
        self._failed[part.name] = failures
        if part.name not in self._served and failures >= _STARTS:
            path = log_path(self._data_dir, part.name)
            raise StartRefused(
                f"{part.name} does not start: it {why}, {failures} times; "
                f"the end of {path}:\n{read_tail(path)}"
            )
        self._announce(f"{part.name:<8} {why}, starts again")
        pause_s = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
        timer = threading.Timer(pause_s, self._events.put, [_Restart(part)])
        timer.daemon = True
        timer.start()

    def _stop_all(self) -> None:
        """Stop stage by stage, the last first; a second signal kills what is left."""
        for stage in sorted({r.part.stage for r in self._running.values()}, reverse=True):
            group = [r for r in self._running.values() if r.part.stage == stage]
            for running in group:
                running.ask_to_stop()
            self._await_deaths(group)
            for running in group:
                running.kill()
                self._running.pop(running.part.name, None)
        self._announce("stopped")

    def _await_deaths(self, group: list[RunningPart]) -> None:
        deadline = time.monotonic() + max(running.part.stop_s for running in group)
        alive = set(group)
        while alive:
            left_s = deadline - time.monotonic()
            try:
                event = self._events.get(timeout=max(left_s, 0))
            except queue.Empty:
                names = ", ".join(sorted(running.part.name for running in alive))
                self._announce(f"{names} took too long and is killed")
                return
            match event:
                case _Stop():
                    self._announce("asked again: killing what is left")
                    return
                case _Died(running):
                    alive.discard(running)
                    if running not in group:
                        self._running.pop(running.part.name, None)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn signals into events; putting into a SimpleQueue is safe inside a handler."""

        def stop(_signal: int, _frame: FrameType | None) -> None:
            self._events.put(_Stop())

        names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {name: signal.signal(name, stop) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
