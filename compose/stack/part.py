"""One part of a stack: a program, its log, and its process group."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from minequeue.compose.stack.alive import is_alive
from minequeue.compose.stack.data_dir import log_path

_GONE_S = 5.0  # how long the remains of a killed group may take to go
_PERIOD_S = 0.01  # a group that is not our child cannot be waited for but by looking


@dataclass(frozen=True, slots=True)
class Part:
    """What is to run.

    Attributes:
        name: as people know it.
        where: where it is reached, for people.
        command: program and arguments.
        environment: all of its variables.
        stage: parts start when all of the stages before are ready, and stop in reverse.
        is_ready: tells whether the process that began at that moment (Unix seconds) serves; asked
            often while it starts.
        stop_s: how long it may take to stop by itself.
        inherits: descriptors that it gets and holds as long as it lives.
        find_loss: says why a process that runs is of no use any more, or ""; asked each second.
    """

    name: str
    where: str
    command: list[str]
    environment: dict[str, str]
    stage: int
    is_ready: Callable[[float], bool]
    stop_s: float
    inherits: tuple[int, ...] = ()
    find_loss: Callable[[], str] = str


class RunningPart:
    """A part's process; it leads a group of its own, so that Ctrl-C reaches the supervisor only.

    No session of its own: Linux shares the processors among sessions, whatever their processes'
    priorities are, and miners would no longer give way to the server.

    Args:
        part: what to run.
        data_dir: where its log goes.
        on_death: called from a thread when the process ends.
    """

    def __init__(
        self, part: Part, data_dir: Path, on_death: Callable[["RunningPart"], None]
    ) -> None:
        self.part = part
        self.is_ready = False
        self.began = time.time()
        with log_path(data_dir, part.name).open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own programs
                part.command,
                env=part.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                pass_fds=part.inherits,
            )

        def watch() -> None:
            self._process.wait()
            on_death(self)

        threading.Thread(target=watch, name=f"watch {part.name}", daemon=True).start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the program; it tells its own children."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the whole group, whatever of it is left, and wait until nothing of it runs."""
        deadline = time.monotonic() + _GONE_S
        while self._has_running_members() and time.monotonic() < deadline:
            with suppress(ProcessLookupError, PermissionError):  # macOS says the second of a zombie
                os.killpg(self.pid, signal.SIGKILL)
            time.sleep(_PERIOD_S)

    def _has_running_members(self) -> bool:
        for process in psutil.process_iter():
            with suppress(ProcessLookupError):
                if os.getpgid(process.pid) == self.pid and is_alive(process):
                    return True
        return False

    @property
    def pid(self) -> int:
        """The program's process id, and its group's."""
        return self._process.pid

    def describe_end(self) -> str:
        """How the process ended, in words."""
        code = self._process.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"
