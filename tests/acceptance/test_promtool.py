"""Prometheus' own tool on what a running stack tells, and on the alerts."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.http import post
from tests.stack import Stack

RULES = Path(__file__).parents[2] / "compose" / "grafana" / "rules"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool (of Prometheus) is not installed"
)


def _promtool(*arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    assert PROMTOOL
    return subprocess.run([PROMTOOL, *arguments], input=given, capture_output=True, check=False)


@needs_promtool
def test_promtool_finds_nothing_wrong_with_the_metrics(stack: Stack) -> None:
    assert post(stack.url, {"sender": "a", "recipient": "b", "amount": 1}).status == 202
    stack.wait_until_drained()
    answer = stack.get("/metrics")
    assert b"minequeue_server_log_written 1.0" in answer.body
    done = _promtool("check", "metrics", given=answer.body)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@needs_promtool
def test_promtool_takes_the_alerts_and_their_tests() -> None:
    for arguments in (("check", "rules", "minequeue.yml"), ("test", "rules", "minequeue_test.yml")):
        done = _promtool(*arguments[:2], str(RULES / arguments[2]))
        assert done.returncode == 0, done.stdout + done.stderr
