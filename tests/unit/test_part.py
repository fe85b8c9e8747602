"""A part's process group, with real processes."""

import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from minequeue.compose.stack.alive import is_alive
from minequeue.compose.stack.part import Part, RunningPart
from tests.waiting import wait_for

FAMILY = """
import os, signal
os.fork()
signal.pause()
"""


@pytest.fixture
def family(tmp_path: Path) -> tuple[RunningPart, threading.Event]:
    """A program with a child, and what tells that the program died."""
    (tmp_path / "logs").mkdir()
    died = threading.Event()
    command = [sys.executable, "-c", FAMILY]
    part = Part("family", "here", command, {}, 0, lambda _: True, 1)
    return RunningPart(part, tmp_path, lambda _: died.set()), died


def _child(running: RunningPart) -> psutil.Process:
    family = psutil.Process(running.pid)
    wait_for(family.children, "the child")
    return family.children()[0]


def test_killing_ends_what_a_dead_program_left_and_does_not_wait_for_its_burial(
    family: tuple[RunningPart, threading.Event],
) -> None:
    running, died = family
    child = _child(running)
    psutil.Process(running.pid).send_signal(signal.SIGKILL)
    assert died.wait(10)
    assert child.is_running()
    began = time.monotonic()
    running.kill()
    assert not is_alive(child)
    assert time.monotonic() - began < 1
    assert running.describe_end() == "killed by SIGKILL"
