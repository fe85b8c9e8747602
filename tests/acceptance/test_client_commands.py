"""`minequeue submit`, `mine`, `status`, `tx` and `block` against a running stack."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.stack import Stack, free_port

LINES = 2_500  # more than two requests


def _run(stack: Stack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return stack.run(*arguments, "--url", stack.url)


def _read(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_transaction_goes_from_the_command_line_to_a_block(stack: Stack) -> None:
    receipt = _read(
        _run(stack, "submit", "--sender", "a", "--recipient", "b", "--amount", "5", "--json")
    )
    block = _read(_run(stack, "mine", "--wait", "30", "--json"))
    assert block["index"] >= 2
    stack.wait_until_drained()
    state = _read(_run(stack, "tx", receipt["id"], "--json"))
    assert state["status"] == "mined"
    found = _read(_run(stack, "block", state["block"]["hash"], "--json"))
    assert receipt["id"] in {transaction["id"] for transaction in found["transactions"]}
    assert _read(_run(stack, "status", "--json"))["depth"] == 0
    assert "depth" in _run(stack, "status").stdout


def test_a_corrected_file_is_safe_to_send_again(stack: Stack, tmp_path: Path) -> None:
    before = stack.check()["transactions"]
    source, receipts = tmp_path / "payments.ndjson", tmp_path / "receipts.ndjson"
    payment = {"sender": "file", "recipient": str(tmp_path), "amount": 1}
    good = [json.dumps(payment)] * LINES
    said = []
    for last in (["nonsense", json.dumps({**payment, "amount": -1})], [json.dumps(payment)], []):
        source.write_text("\n".join([*good, *last]))
        done = _run(stack, "submit", str(source), "--receipts", str(receipts), "--json")
        found = json.loads(done.stdout)
        said.append((done.returncode, found["accepted"], found["known"], found["refused"]))
        assert f"submission {source}@20" in done.stderr
        if "nonsense" in last:
            assert f"line {LINES + 1}: " in done.stderr
            assert f"line {LINES + 2}: amount must be" in done.stderr
    assert said == [
        (1, LINES, 0, 2),
        (0, LINES + 1, LINES, 0),
        (0, LINES, LINES, 0),
    ]
    outcomes = [json.loads(line) for line in receipts.read_text().splitlines()]
    assert len({outcome["id"] for outcome in outcomes}) == LINES
    stack.wait_until_drained()
    assert stack.check()["transactions"] == before + LINES + 1


def test_lines_that_fill_many_bodies_are_accepted(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", max_batch="100", max_body="200000")
    payment = {"sender": "a", "recipient": "b", "amount": 1}
    source = tmp_path / "large.ndjson"
    large = json.dumps({**payment, "contract": "x"}).replace('"x"', '"' + "\\u0078" * 8_000 + '"')
    assert len(large) > 48_000
    source.write_text("\n".join([large] * 40 + [json.dumps(payment)] * 250))
    try:
        stack.start()
        done = _run(stack, "submit", str(source), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["accepted"] == 290
        stack.wait_until_drained()
        assert stack.check()["transactions"] == 290
    finally:
        stack.stop()


def test_a_refusal_is_one_sentence(stack: Stack) -> None:
    for arguments, said in (
        (("tx", "no-such-id"), "Unknown transaction"),
        (("block", "x"), "Unknown block"),
        (("submit", "--recipient", "b", "--amount", "1"), "sender is missing"),
    ):
        done = _run(stack, *arguments)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_node_that_is_not_there_is_named(stack: Stack) -> None:
    done = stack.run("status", "--url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "does not answer" in done.stderr


def test_the_status_is_followed_until_ctrl_c(stack: Stack) -> None:
    command = [sys.executable, "-m", "minequeue", "status", "--watch", "--json", "--url", stack.url]
    with subprocess.Popen(
        command, env=stack.environment, stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout
        looks = [json.loads(following.stdout.readline()) for _ in range(2)]
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 0
    assert all(look["depth"] >= 0 for look in looks)


def test_people_see_it_move_on_a_terminal(stack: Stack) -> None:
    command = [sys.executable, "-m", "minequeue", "status", "--watch", "--url", stack.url]
    ours, theirs = pty.openpty()
    environment = {**stack.environment, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, env=environment, stdout=theirs, stdin=theirs) as following:
        os.close(theirs)
        seen = b""
        while seen.count(b"miners wanted") < 3:
            seen += os.read(ours, 65536)
        following.send_signal(signal.SIGINT)
        while _read_on(ours):
            pass
        assert following.wait(20) == 0
    os.close(ours)
    assert b"Traceback" not in seen


def _read_on(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # its other end was closed
        return b""
