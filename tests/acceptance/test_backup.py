"""A node is backed up while it works, and restored into another one that works."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.http import post_raw, request
from tests.stack import Stack

MINED, WAITING = 50, 20


@pytest.fixture
def stacks(tmp_path: Path) -> Iterator[tuple[Stack, Stack]]:
    """One whose transactions wait until a block is asked for, and one that mines at once."""
    small = {"miners": "1,1", "web_processes": "1"}
    with ExitStack() as running:
        old = Stack(tmp_path / "old", block_interval="3600", **small)
        new = Stack(tmp_path / "new", **small)
        for stack in (old, new):
            running.callback(stack.stop)
            stack.start()
        yield old, new


def _submit(stack: Stack, count: int) -> list[str]:
    payment = {"sender": "alice", "recipient": "bob", "amount": 1}
    answer = post_raw(stack.url, json.dumps([payment] * count).encode())
    assert answer.status == 202
    return [receipt["id"] for receipt in answer.json()]


def _run(stack: Stack, *arguments: str) -> Any:
    done = stack.run(*arguments, "--json", "--data-dir", str(stack.data_dir))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _tip(stack: Stack) -> Any:
    return stack.get("/chain/tip").json()


def test_a_running_node_is_restored_into_another_with_all_that_it_accepted(
    stacks: tuple[Stack, Stack], tmp_path: Path
) -> None:
    old, new = stacks
    ids = _submit(old, MINED)
    block = request("POST", f"{old.url}/chain/mine", headers={"Prefer": "wait=30"})
    assert block.status == 200
    ids += _submit(old, WAITING)
    file = str(tmp_path / "backup.ndjson")
    exported = _run(old, "export", file)
    assert (exported["blocks"], exported["transactions"]) == (2, WAITING)
    assert exported["tip"] == _tip(old)["hash"]
    imported = _run(new, "import", file)
    assert imported == {"blocks": 1, "known": 1, "jobs": 0, "transactions": WAITING}
    new.wait_until_drained()
    assert new.get("/chain/blocks/2").json()["hash"] == exported["tip"]
    assert {new.get(f"/transactions/{i}").json()["status"] for i in ids} == {"mined"}
    tip = _tip(new)
    assert _run(new, "import", file)["blocks"] == 0
    assert _tip(new) == tip
    assert new.check()["transactions"] == MINED + WAITING


def test_a_backup_goes_through_a_pipe(stacks: tuple[Stack, Stack]) -> None:
    old, new = stacks
    _submit(old, MINED)
    assert request("POST", f"{old.url}/chain/mine", headers={"Prefer": "wait=30"}).status == 200
    command = [sys.executable, "-m", "minequeue"]
    with subprocess.Popen(
        [*command, "export", "-", "--data-dir", str(old.data_dir)],
        env=old.environment,
        stdout=subprocess.PIPE,
    ) as exporting:
        importing = subprocess.run(
            [*command, "import", "-", "--data-dir", str(new.data_dir)],
            env=new.environment,
            stdin=exporting.stdout,
            capture_output=True,
            check=True,
            text=True,
        )
    assert exporting.returncode == 0
    assert importing.stdout.startswith("imported 1 blocks (1 more were there)")
    assert _tip(new) == _tip(old)


def test_a_refusal_is_one_sentence_and_its_exit_code_says_whose_fault_it_is(
    stack: Stack, tmp_path: Path
) -> None:
    here = ("--data-dir", str(stack.data_dir))
    file, torn = tmp_path / "backup.ndjson", tmp_path / "torn.ndjson"
    assert stack.run("export", str(file), *here).returncode == 0
    torn.write_bytes(file.read_bytes()[:-10])
    for arguments, code, said in (
        (("export", str(file), *here), 1, "exists"),
        (("export", str(tmp_path / "b"), "--data-dir", str(tmp_path)), 1, "Redis cannot be used"),
        (("import", str(torn), *here), 1, "is not whole"),
        (("import", str(tmp_path / "none"), *here), 1, "cannot be read"),
        (("export", "-", "--resume", *here), 2, "--resume needs a file"),
        (("export", str(tmp_path / "c"), "--from", "999999", *here), 2, "past the chain"),
        (("export", str(tmp_path / "c"), "--from", "0", *here), 2, "--from"),
        (("export", *here), 2, "Missing argument"),
        (("import", *here), 2, "Missing argument"),
    ):
        done = stack.run(*arguments)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "b").exists()
    for command in ("export", "import"):
        assert f"Example: minequeue {command} backup.ndjson" in stack.run(command, "--help").stdout


def test_a_reader_that_goes_away_and_a_full_disk_end_an_export_in_one_sentence(
    stack: Stack,
) -> None:
    command = [sys.executable, "-m", "minequeue", "export", "-", "--data-dir", str(stack.data_dir)]
    with subprocess.Popen(
        command, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as exporting:
        assert exporting.stdout is not None
        assert exporting.stderr is not None
        exporting.stdout.close()
        said = exporting.stderr.read().decode()
    assert exporting.returncode == 1
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command,
            env=stack.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
    assert done.returncode == 1
    for sentence, why in ((said, "Broken pipe"), (done.stderr, "No space left on device")):
        assert sentence == f"minequeue: standard output cannot be written ({why}).\n"
