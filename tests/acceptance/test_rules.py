"""The running stack is held to what its ledger says of itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from minequeue.compose.config.embedded import socket_path
from tests.http import Answer, post, request
from tests.stack import Stack
from tests.waiting import wait_for

PAYMENT = {"sender": "alice", "recipient": "bob", "amount": 1}
_NOTICED_S = 30  # a connection is judged again after five
pytestmark = pytest.mark.timeout(300)  # stacks and commands are started one after another


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "data", miners="1,1", web_processes="1").start()
    yield stack
    if stack.process and stack.process.poll() is None:
        assert stack.stop() == 0


def _wait_for_refusal(stack: Stack, words: str) -> None:
    def is_refused() -> bool:
        answer = post(stack.url, PAYMENT)
        return answer.status == 503 and words in answer.json()["detail"]

    wait_for(is_refused, f"a refusal with {words!r}", _NOTICED_S)


def _mine(stack: Stack) -> Answer:
    return request("POST", f"{stack.url}/chain/mine", headers={"Prefer": "wait=30"})


def test_raised_rules_hold_for_every_part_and_for_the_check(stack: Stack) -> None:
    assert _mine(stack).status == 200
    here = ["--data-dir", str(stack.data_dir)]
    stack.environment["MINEQUEUE_BITS"] = "11"
    weak = stack.run("worker", "--name", "weak", *here)
    assert (weak.returncode, weak.stderr.count("\n")) == (1, 1), weak.stderr
    assert "The ledger's rules are 12 bits" in weak.stderr

    raised = stack.run("rules", "raise", "--bits", "13", *here)
    assert (raised.returncode, raised.stdout) == (0, "raised from block 3 on\n"), raised.stderr
    _wait_for_refusal(stack, "this part is set to 12 bits")
    assert stack.stop() == 0

    stack.environment["MINEQUEUE_BITS"] = "13"
    stack.start()
    assert _mine(stack).status == 200
    shown = json.loads(stack.run("rules", "show", "--json", *here).stdout)
    assert [(rule["from"], rule["bits"]) for rule in shown["rules"]] == [(2, 12), (3, 13)]
    assert stack.stop() == 0
    # whatever --bits says, a data directory is judged by its ledger's own rules
    checked = stack.run("check", str(stack.data_dir), "--bits", "20", "--json")
    assert json.loads(checked.stdout)["valid"], checked.stdout


def test_a_server_that_is_emptied_under_a_running_stack_is_accepted_nothing_into(
    stack: Stack,
) -> None:
    client = redis.Redis(unix_socket_path=str(socket_path(stack.data_dir)))
    assert post(stack.url, PAYMENT).status == 202
    client.flushall()
    answers = [post(stack.url, PAYMENT), _mine(stack)]
    assert [answer.status for answer in answers] == [503, 503]
    assert "has no genesis block" in answers[0].json()["detail"]
    assert answers[0].headers["Retry-After"]

    def is_told() -> bool:
        answer = stack.get("/queue")
        return answer.status == 503 and "has no genesis block" in answer.json()["detail"]

    wait_for(is_told, "the loss in /queue", _NOTICED_S)
    for path in ("/chain/tip", "/chain", "/nodes/", "/metrics", "/health/ready"):
        assert stack.get(path).status in {200, 503}, path
    client.close()


def test_a_ledger_of_a_later_format_is_refused_with_its_version(stack: Stack) -> None:
    assert post(stack.url, PAYMENT).status == 202
    client = redis.Redis(unix_socket_path=str(socket_path(stack.data_dir)))
    rules = "{minequeue:minequeue}:rules"
    mark = client.hget(rules, "format")
    client.hset(rules, mapping={"format": "99", "reader": "9.8.7"})
    _wait_for_refusal(stack, "use 9.8.7 or later")
    stack.environment["MINEQUEUE_DATA_DIR"] = str(stack.data_dir)
    for command in (["worker"], ["export", "-"]):
        refused = stack.run(*command)
        assert refused.returncode == 1, command
        assert "use 9.8.7 or later" in refused.stderr, refused.stderr
    client.hset(rules, "format", mark or b"")
    wait_for(lambda: post(stack.url, PAYMENT).status == 202, "the recovery", _NOTICED_S)
    client.close()
