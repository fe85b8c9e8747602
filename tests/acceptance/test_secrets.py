"""A stack with passwords and tokens: all its parts work, and none tells a secret."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from minequeue.chain.errors import LoginRefused
from minequeue.compose.config.embedded import find_server
from minequeue.web.guard.tokens import draw_token, make_entry
from tests.http import Answer, post, request
from tests.server_options import DEFAULT_RIGHTS, RIGHTS
from tests.stack import Stack, free_port
from tests.waiting import wait_for

USER, PASSWORD = "minequeue", "pass-word-of-redis-1f7c"
FLOWER_PASSWORD = "pass-word-of-flower-9a2e"
TOKEN = draw_token()


class Server:
    """A server that lets in one user alone, with these rights."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()
        self.password = PASSWORD
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [
            find_server(os.environ.get("MINEQUEUE_SERVER_BINARY", "")),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
            *("--user", "default", *DEFAULT_RIGHTS),
            *("--user", USER, "on", f">{self.password}", *RIGHTS),
        ]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def restart(self) -> None:
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "server").mkdir()
    made = Server(tmp_path / "server")
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def stack(server: Server, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(
        tmp_path / "data",
        redis_url=f"redis://{USER}:{PASSWORD}@127.0.0.1:{server.port}/0",
        tokens=str(make_entry("client", ["submit", "mine"], TOKEN, 0, 0)),
        token=TOKEN,
        flower_auth=f"people:{FLOWER_PASSWORD}",
        miners="1,1",
        web_processes="1",
    )
    try:
        yield made.start()
    finally:
        made.stop()


def test_a_stack_with_few_rights_and_many_secrets_mines_and_tells_none(
    stack: Stack, server: Server
) -> None:
    told = [" ".join(process.cmdline()) for process in stack.processes()]
    payment = {"sender": "a", "recipient": "b", "amount": 1}
    assert post(stack.url, payment).status == 401
    assert post(stack.url, payment, Authorization="Bearer wrong").status == 401
    assert post(stack.url, payment, Authorization=f"Bearer {TOKEN}").status == 202
    burst = stack.run("burst", stack.url, "--requests", "100", "--json")
    assert burst.returncode == 0, burst.stderr
    assert json.loads(burst.stdout)["lost"] == 0
    stack.wait_until_drained()
    stack.environment["MINEQUEUE_TOKEN"] = ""
    for command in (["burst", stack.url, "--requests", "50"], ["mine", "--url", stack.url]):
        nameless = stack.run(*command)
        assert nameless.returncode == 1, command
        assert "set MINEQUEUE_TOKEN to a token of this node." in nameless.stderr
    stack.environment["MINEQUEUE_TOKEN"] = TOKEN
    server.restart()
    answer = wait_for(
        lambda: post(stack.url, payment, Authorization=f"Bearer {TOKEN}").status == 202,
        "a submission after the restart",
        30,
    )
    assert answer
    stack.wait_until_drained()
    assert request("GET", f"{stack.flower_url}/api/workers").status == 401
    wrong = {**stack.environment}
    stack.environment["MINEQUEUE_REDIS_URL"] = wrong["MINEQUEUE_REDIS_URL"].replace(
        PASSWORD, f"{PASSWORD}-wrong"
    )
    refused = stack.run("web")
    assert refused.returncode == 1
    assert "invalid username-password" in refused.stderr
    told += [refused.stdout, refused.stderr, burst.stdout, burst.stderr]
    stack.stop()
    told += [stack.said(), *(log.read_text() for log in (stack.data_dir / "logs").iterdir())]
    secrets = (PASSWORD, FLOWER_PASSWORD, TOKEN)
    assert [s for s in secrets if any(s in text for text in told)] == []
    assert "Connected to redis://" in "".join(told)


def test_a_password_that_was_changed_is_told_as_such(stack: Stack, server: Server) -> None:
    payment = {"sender": "a", "recipient": "b", "amount": 1}
    shown = f"Bearer {TOKEN}"
    assert post(stack.url, payment, Authorization=shown).status == 202
    server.password = "another-pass-word-41bc"
    server.restart()

    def refuse() -> Answer | None:
        answer = post(stack.url, payment, Authorization=shown)
        assert answer.status in {202, 503}
        return answer if b"log in" in answer.body else None

    answer = wait_for(refuse, "a sentence about the login", 30)
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert answer.json()["detail"] == LoginRefused.__doc__  # and nothing that Redis said
    log = (stack.data_dir / "logs" / "web.log").read_text()
    assert "Redis refuses to serve this user (invalid username-password pair" in log
    server.password = PASSWORD
    server.restart()
    wait_for(lambda: post(stack.url, payment, Authorization=shown).status == 202, "the old one", 30)
    stack.wait_until_drained()


def test_without_tokens_nothing_listens_beyond_this_machine(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", host="0.0.0.0")
    done = stack.run("up", "--data-dir", str(stack.data_dir))
    assert done.returncode == 1
    assert "minequeue token new" in done.stderr
    assert "MINEQUEUE_OPEN_TO_ALL" in done.stderr
