"""A running web tier with the switch on: what it prints, and that nobody else's output is in it."""

import json
from pathlib import Path
from typing import Any

from minequeue.web.aws.embedded_metrics import NAMESPACE
from tests.stack import Stack
from tests.waiting import wait_for


def test_web_prints_metrics_as_lines_of_their_own(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", metrics_emf="yes", web_processes="2")
    stack.start()
    try:
        log = tmp_path / "data" / "logs" / "web.log"
        wait_for(lambda: log.read_text().count('{"_aws"') >= 2, "lines", 30)
    finally:
        assert stack.stop() == 0
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in log.read_text().splitlines() if "_aws" in line
    ]
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE
        assert line["Backlog"] == 0


def test_without_the_switch_none_are_printed(stack: Stack) -> None:
    assert '"_aws"' not in (stack.data_dir / "logs" / "web.log").read_text()
