"""The supervisor's look at logs and parts; tests/acceptance/test_up.py has what it does else."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from minequeue.compose.errors import StartRefused
from minequeue.compose.stack import supervisor
from minequeue.compose.stack.data_dir import LARGE_LOG
from minequeue.compose.stack.part import Part
from minequeue.compose.stack.supervisor import Supervisor
from tests.waiting import wait_for

# says too much at once, and then a word whenever it gets a signal
TALKER = f"""
import signal
signal.signal(signal.SIGUSR1, lambda *_: print("asked", flush=True))
print("x" * {LARGE_LOG}, flush=True)
while True:
    signal.pause()
"""
COMMAND = [sys.executable, "-c", TALKER]
SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]


def _find_child(command: list[str]) -> psutil.Process:
    """The child that runs ``command``; other tests' libraries may keep children of their own."""
    [child] = [
        each
        for each in psutil.process_iter(["ppid", "cmdline"])
        if (each.info["ppid"], each.info["cmdline"]) == (os.getpid(), command)
    ]
    return child


def _ask_for_a_word_when_the_log_was_put_aside(logs: Path) -> None:
    log = logs / "talker.log"
    try:
        wait_for(lambda: log.exists() and log.with_suffix(".old.log").exists(), "an old log", 10)
        wait_for(lambda: log.stat().st_size == 0, "an empty log", 10)
        _find_child(COMMAND).send_signal(signal.SIGUSR1)
        wait_for(lambda: log.read_text() == "asked\n", "what is said afterwards, alone", 10)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_log_that_becomes_large_is_put_aside_while_its_part_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_LOGS_S", 0.05)
    logs = tmp_path / "logs"
    logs.mkdir()
    talker = Part("talker", "here", COMMAND, {}, 0, lambda _: True, 5)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(_ask_for_a_word_when_the_log_was_put_aside, logs)
        Supervisor(tmp_path, [talker], lambda _: None, lambda: None).run()
        asked.result()
    assert (logs / "talker.old.log").stat().st_size == LARGE_LOG + 1


def test_a_log_that_cannot_be_put_aside_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_LOGS_S", 0.05)
    (tmp_path / "logs" / "talker.old.log").mkdir(parents=True)
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        if "cannot be put aside" in line:
            os.kill(os.getpid(), signal.SIGTERM)

    talker = Part("talker", "here", COMMAND, {}, 0, lambda _: True, 5)
    Supervisor(tmp_path, [talker], tell, lambda: None).run()
    assert "talker.log is large, and cannot be put aside (Is a directory)" in "".join(told)
    assert told[-1] == "stopped"


def _sleeper(name: str, **more: Any) -> Part:
    return Part(name, "here", SLEEPER, {}, 0, more.pop("is_ready", lambda _: True), 5, **more)


def test_a_part_whose_log_cannot_be_opened_ends_nothing_that_runs(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    told: list[str] = []
    runs: list[float] = []

    def tell(line: str) -> None:
        told.append(line)
        if "part" in line and "ready in" in line and len(runs) == 1:
            (logs / "part.log").unlink()
            (logs / "part.log").mkdir()
            _find_child(SLEEPER).kill()
        if "cannot be started" in line:
            (logs / "part.log").rmdir()
        if "ready in" in line and len(runs) > 1:
            os.kill(os.getpid(), signal.SIGTERM)

    def is_ready(began: float) -> bool:
        runs.append(began)
        return True

    Supervisor(tmp_path, [_sleeper("part", is_ready=is_ready)], tell, lambda: None).run()
    assert any("part     cannot be started ([Errno 21] Is a directory" in line for line in told)
    assert told[-1] == "stopped"


def test_a_part_that_never_had_a_log_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "logs" / "part.log").mkdir(parents=True)
    with pytest.raises(StartRefused) as refusal:
        Supervisor(tmp_path, [_sleeper("part")], lambda _: None, lambda: None).run()
    assert "part does not start: it cannot be started ([Errno 21] Is a directory" in str(
        refusal.value
    )
    assert "it cannot be read (Is a directory)" in str(refusal.value)


def test_a_part_that_is_of_no_use_any_more_is_started_again_and_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    told: list[str] = []
    losses = ["", "its socket is gone"]

    def tell(line: str) -> None:
        told.append(line)
        if "ready in" in line and not losses:
            os.kill(os.getpid(), signal.SIGTERM)

    part = _sleeper("part", find_loss=lambda: losses.pop(0) if losses else "")
    Supervisor(tmp_path, [part], tell, lambda: None).run()
    assert [line.partition("  (ready")[0] for line in told] == [
        "part     here",
        "part     has failed: its socket is gone",
        "part     died (killed by SIGKILL), starts again",
        "part     here",
        "stopping: current work is finished, everything else is on disk",
        "stopped",
    ]


def test_a_stack_is_not_ready_while_a_part_that_died_waits_for_its_next_try(
    tmp_path: Path,
) -> None:
    (tmp_path / "logs").mkdir()
    served: list[str] = []
    command = [sys.executable, "-c", "raise SystemExit(not __import__('time').sleep(0.3))"]
    dying = Part("dying", "here", command, {}, 0, lambda _: False, 5)

    def other_is_ready(_: float) -> bool:
        return any("dying" in line for line in served)

    other = _sleeper("other", is_ready=other_is_ready)
    with pytest.raises(StartRefused):
        Supervisor(tmp_path, [dying, other], served.append, lambda: served.append("READY")).run()
    assert any("other    here" in line for line in served)
    assert "READY" not in served
