"""One log, one server: whoever starts, from whatever path, and whoever was killed before."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http import post
from tests.stack import Stack


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Stack]:
    """A stack that has accepted something, and whose supervisor was killed."""
    stack = Stack(tmp_path / "data", miners="1,1", web_processes="1", block_interval="600")
    stack.start()
    for number in range(3):
        payment = {"sender": "a", "recipient": "b", "amount": number}
        assert post(stack.url, payment).status == 202
    stack.kill()
    yield stack
    for process in stack.processes():
        process.kill()


def count_servers(stack: Stack) -> int:
    return len(stack.processes_of(r"[^ ]*(valkey|redis)-server"))


def test_a_second_path_to_a_log_starts_no_second_server(killed: Stack, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("data")
    socket = killed.data_dir / "valkey.sock"
    inode = socket.stat().st_ino
    said = killed.run("check", str(link), "--bits", "12")
    assert said.returncode == 1
    assert "A server that an earlier start left behind still writes the log" in said.stderr
    assert "Traceback" not in said.stderr
    assert socket.stat().st_ino == inode
    assert count_servers(killed) == 1
    again = Stack(link, miners="1,1", web_processes="1")
    try:
        again.start()
        assert "processes that an earlier start had left behind" in again.said()
        assert count_servers(killed) == 1
        again.wait_until_drained()
        assert again.check()["transactions"] == 3
    finally:
        assert again.stop() == 0
    assert killed.processes() == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_what_another_user_laid_there_is_not_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    laid = tmp_path / ".minequeue"
    laid.mkdir(mode=0o755)
    (laid / "flower.db").write_bytes(b"cos\nsystem\n(S'touch /tmp/it-was-run'\ntR.")
    for path in (laid, laid / "flower.db"):
        os.chown(path, 12_345, 12_345)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")}
    said = subprocess.run(
        [sys.executable, "-m", "minequeue", "up"],
        cwd=tmp_path,
        env=environment | {"PYTHONSAFEPATH": "1"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert said.returncode == 1
    assert f"{laid} belongs to the user 12345" in said.stderr
    assert sorted(path.name for path in laid.iterdir()) == ["flower.db"]
