"""`minequeue up` as its user sees it: start, death of parts, stop, and what it refuses."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
import redis

from minequeue.compose.stack.alive import is_alive
from tests.http import post, request
from tests.server import run_server
from tests.stack import Stack
from tests.waiting import wait_for

PLAIN = {"sender": "alice", "recipient": "bob", "amount": 1}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own, not started yet; whatever it leaves behind is killed."""
    stack = Stack(tmp_path / "data")
    yield stack
    if stack.process is not None:
        stack.process.kill()
        stack.process.wait()
    for process in stack.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _is_serving(stack: Stack) -> bool:
    return stack.get("/health/ready").status == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_says_what_runs_where_and_leaves_nothing_when_told_to_stop(
    own: Stack, how: signal.Signals
) -> None:
    own.start()
    for line in (
        f"web      {own.url}",
        f"flower   {own.flower_url}",
        "server   unix://",
        "workers ",
    ):
        assert line in own.said()
    assert request("GET", own.flower_url).status == 200
    assert own.stop(how) == 0
    assert own.processes() == []
    assert "stopped" in own.said()


def test_what_was_accepted_is_there_after_a_stop_and_a_start(own: Stack) -> None:
    own.start()
    receipt = post(own.url, PLAIN).json()
    own.stop()
    own.start()
    own.wait_until_drained()
    assert own.get(f"/transactions/{receipt['id']}").json()["status"] == "mined"


@pytest.mark.parametrize("part", ["web", "worker", "flower", "valkey-server"])
def test_a_part_that_dies_is_started_again(own: Stack, part: str) -> None:
    own.start()
    victims = own.processes_of(part)
    assert victims
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, 10)
    wait_for(lambda: own.processes_of(part), f"a new {part}")
    name = {"worker": "workers", "valkey-server": "server"}.get(part, part)
    wait_for(lambda: own.said().count(f"{name:<8} ") >= 3, "word of death and return")
    wait_for(lambda: _is_serving(own), "serving again")
    receipt = post(own.url, PLAIN).json()
    own.wait_until_drained()
    assert own.get(f"/transactions/{receipt['id']}").json()["status"] == "mined"
    assert own.stop() == 0
    assert own.processes() == []


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start_and_only_that(
    own: Stack, stack: Stack
) -> None:
    others = {process.pid for process in stack.processes()}
    own.start()
    receipt = post(own.url, PLAIN).json()
    own.kill()
    left = own.processes()
    assert left
    own.start()
    assert re.search(r"ended \d+ processes", own.said())
    assert not [process for process in left if is_alive(process)]
    own.wait_until_drained()
    assert own.get(f"/transactions/{receipt['id']}").json()["status"] == "mined"
    assert others <= {process.pid for process in stack.processes()}
    assert own.stop() == 0
    assert own.processes() == []


def test_the_data_directory_of_a_stopped_stack_is_checked_and_that_of_a_running_one_refused(
    own: Stack,
) -> None:
    own.start()
    post(own.url, PLAIN)
    own.wait_until_drained()
    said = own.run("check", str(own.data_dir))
    assert (said.returncode, said.stdout) == (1, "")
    assert "Another stack runs on" in said.stderr
    own.stop()
    said = own.run("check", str(own.data_dir))
    assert said.returncode == 0, said.stderr
    assert "valid: 2 blocks, 1 transactions" in said.stdout
    assert own.processes() == []


def _refusal(stack: Stack, **settings: str) -> str:
    """What `minequeue up` says when it cannot start: one sentence, and no exit code 0."""
    done = subprocess.run(
        [sys.executable, "-m", "minequeue", "up", "--data-dir", stack.data_dir],
        env={
            **stack.environment,
            "MINEQUEUE_PORT": str(stack.port),
            **{f"MINEQUEUE_{name.upper()}": value for name, value in settings.items()},
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_a_second_stack_on_the_same_directory_is_refused(stack: Stack) -> None:
    assert stack.process
    assert f"process {stack.process.pid}" in _refusal(stack)


def test_a_socket_that_somebody_removes_costs_a_restart_of_the_server(own: Stack) -> None:
    own.start()
    assert post(own.url, PLAIN).status == 202
    (own.data_dir / "valkey.sock").unlink()
    wait_for(lambda: "has failed: its socket" in own.said(), "a look at the server", 10)
    wait_for(lambda: own.said().count("server   unix://") == 2, "the next server", 30)
    wait_for(lambda: _is_serving(own), "web on it", 30)
    assert post(own.url, PLAIN).status == 202
    own.wait_until_drained()
    assert own.check()["transactions"] >= 2
    assert own.stop() == 0


def test_stacks_at_one_port_beside_one_server_have_workers_of_their_own(tmp_path: Path) -> None:
    """As on two hosts: each in a network of its own."""
    with run_server(tmp_path / "server") as url, ExitStack() as opened:
        for name in ("one", "two"):
            stack = Stack(tmp_path / name, redis_url=url)
            stack.port = 3000
            alone = ("unshare", "-n") if os.getuid() == 0 else ("unshare", "-rn")
            enter = (*alone, "sh", "-c", 'ip link set lo up; exec "$@"', "sh")
            stack.command = (*enter, *stack.command)
            opened.callback(lambda s=stack: s.stop())  # type: ignore[misc]  # mypy does not infer defaults of lambdas
            stack.start()
        with redis.Redis.from_url(url) as server:
            names = wait_for(lambda: server.hkeys("{minequeue:minequeue}:sizes"), "workers")
        assert len(names) == 2


@pytest.mark.parametrize("setting", ["port", "flower_port"])
def test_a_taken_port_is_named_with_its_setting(own: Stack, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = _refusal(own, **{setting: str(port)})
    assert f"Port {port}" in said
    assert f"process {os.getpid()}" in said
    assert f"MINEQUEUE_{setting.upper()}" in said


def test_a_data_directory_that_cannot_be_made_is_named(own: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    own.data_dir = tmp_path / "file" / "data"
    said = _refusal(own)
    assert str(own.data_dir) in said
    assert "MINEQUEUE_DATA_DIR" in said


def test_a_missing_server_is_named(own: Stack) -> None:
    assert "/none/such is not an executable" in _refusal(own, server_binary="/none/such")


def test_a_server_that_does_not_start_is_shown_with_its_log(own: Stack) -> None:
    own.environment["MINEQUEUE_SERVER_BINARY"] = "false"
    process = own.spawn()
    assert process.wait(60) == 1
    assert "server does not start: it died (exit code 1), 3 times" in own.said()
    assert own.processes() == []


@pytest.mark.parametrize(("name", "value"), [("bits", "none"), ("miners", "2,1"), ("prot", "3000")])
def test_a_bad_or_unknown_setting_names_itself(own: Stack, name: str, value: str) -> None:
    assert f"MINEQUEUE_{name.upper()}" in _refusal(own, **{name: value})


def test_a_directory_with_a_very_long_name_works(own: Stack, tmp_path: Path) -> None:
    own.data_dir = tmp_path / ("long" * 30)
    own.start()
    assert _is_serving(own)
    assert own.stop() == 0
