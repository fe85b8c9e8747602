"""The supervisor's look at the logs; tests/acceptance/test_up.py has what it does else."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from compose import supervisor
from compose.data_dir import LARGE_LOG
from compose.part import Part
from compose.supervisor import Supervisor
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


def _ask_for_a_word_when_the_log_was_put_aside(logs: Path) -> None:
    log = logs / "talker.log"
    try:
        wait_for(lambda: log.exists() and log.with_suffix(".old.log").exists(), "an old log", 10)
        wait_for(lambda: log.stat().st_size == 0, "an empty log", 10)
        [talker] = [p for p in psutil.Process().children() if p.cmdline() == COMMAND]
        talker.send_signal(signal.SIGUSR1)
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
