import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.chaos.timeline import Timeline
from tests.stack import Stack, free_port
from tests.waiting import wait_for


def test_a_burst_is_followed_to_the_chain(stack: Stack, tmp_path: Path) -> None:
    receipts = tmp_path / "receipts"
    options = ["--requests", "300", "--mine", "5", "--json", "--receipts", str(receipts)]
    done = stack.run("burst", stack.url, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["answers"], found["refused"], found["unknown"]) == (300, {}, 0)
    assert found["mined"] == found["accepted"] > 0
    assert (found["lost"], found["doubled"], found["jobs_lost"]) == (0, 0, 0)
    assert len(receipts.read_text().splitlines()) == found["accepted"] + found["jobs"]


def test_ctrl_c_prints_what_is_known(stack: Stack, tmp_path: Path) -> None:
    before = stack.queue()["tip"]["index"]
    command = [
        sys.executable,
        "-m",
        "minequeue",
        "burst",
        stack.url,
        "--requests",
        "1000000",
        "--json",
    ]
    with (tmp_path / "out").open("wb") as output:
        process = subprocess.Popen(command, env=stack.environment, stdout=output)
        wait_for(lambda: stack.queue()["tip"]["index"] > before, "a block of the burst")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    found = json.loads((tmp_path / "out").read_text())
    assert 0 < found["accepted"] < 1000000
    assert found["mined"] is None


def test_a_node_that_is_not_there_is_one_sentence(stack: Stack) -> None:
    done = stack.run("burst", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "does not answer" in done.stderr


def test_a_timeline_notes_the_queue_and_its_absence(stack: Stack) -> None:
    timeline = Timeline(stack.url, time.monotonic)
    with timeline:
        wait_for(lambda: len(timeline.samples) >= 2, "two samples")
    assert all(sample.queue and "depth" in sample.queue for sample in timeline.samples)
    absent = Timeline(f"http://127.0.0.1:{free_port()}", time.monotonic)
    absent.look()
    assert [sample.queue for sample in absent.samples] == [None]
