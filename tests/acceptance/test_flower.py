"""Flower beside a real worker that mines: its API, its history, and who may read it."""

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.http import Answer, post, request
from tests.stack import Stack
from tests.waiting import wait_for

AUTH = "operator:s3cret"
LEFT_S = 30  # a worker that left is kept for ten seconds, and was alive until its last heartbeat


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("flower") / "data", flower_auth=AUTH).start()
    yield running
    assert running.stop() == 0


def ask(stack: Stack, path: str, auth: str = AUTH) -> Answer:
    shown = {"Authorization": f"Basic {base64.b64encode(auth.encode()).decode()}"} if auth else {}
    return request("GET", f"{stack.flower_url}{path}", headers=shown)


def mined(stack: Stack) -> dict[str, str]:
    """The results of runs that mined a block, by the task's id, as Flower writes them."""
    answer = ask(stack, "/api/tasks?taskname=mine&state=SUCCESS&limit=200")
    tasks = answer.json() if answer.status == 200 else {}
    results = {name: str(task["result"]) for name, task in tasks.items()}
    return {name: text for name, text in results.items() if "'outcome': 'mined'" in text}


def mine(stack: Stack) -> None:
    assert post(stack.url, {"sender": "a", "recipient": "b", "amount": 1}).status == 202
    asked = request("POST", f"{stack.url}/chain/mine", b"", {"Prefer": "wait=20"})
    assert asked.status == 200


@pytest.mark.parametrize("path", ["/", "/api/tasks", "/api/workers", "/workers?json=1"])
@pytest.mark.parametrize("auth", ["", "operator:guess", "operator:"])
def test_nobody_reads_it_without_its_password(stack: Stack, path: str, auth: str) -> None:
    assert ask(stack, path, auth).status == 401


def test_it_shows_each_run_with_a_readable_result(stack: Stack) -> None:
    mine(stack)
    wait_for(lambda: mined(stack), "a run that mined", 20)
    (name, result) = next(iter(mined(stack).items()))
    shown = ask(stack, f"/api/task/info/{name}").json()
    assert (shown["name"], shown["state"]) == ("mine", "SUCCESS")
    tip = stack.get("/chain/tip").json()
    wait_for(lambda: any(tip["hash"] in text for text in mined(stack).values()), "its run", 20)
    for member in ("outcome", "blocks", "transactions", "index", "hash", "hashes"):
        assert f"'{member}'" in result


def test_it_shows_the_queue_of_wake_ups(stack: Stack) -> None:
    answer = ask(stack, "/api/queues/length")
    assert answer.status == 200
    assert "minequeue.minequeue" in {queue["name"] for queue in answer.json()["active_queues"]}


def test_a_worker_that_left_is_forgotten(stack: Stack, tmp_path: Path) -> None:
    environment = {
        **stack.environment,
        "MINEQUEUE_REDIS_URL": f"unix://{stack.data_dir / 'valkey.sock'}",
        "MINEQUEUE_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "minequeue", "worker", "--name", "guest@here"]

    def shown() -> set[str]:
        answer = ask(stack, "/workers?json=1")
        return {worker["hostname"] for worker in answer.json()["data"]}

    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as guest:
        try:
            wait_for(lambda: "guest@here" in shown(), "the guest", 30)
        finally:
            guest.send_signal(signal.SIGTERM)
    wait_for(lambda: "guest@here" not in shown(), "its leave", LEFT_S)
    assert any(name.startswith("workers-") for name in shown())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_its_history_outlives_it(stack: Stack, how: signal.Signals) -> None:
    mine(stack)
    wait_for(lambda: mined(stack), "a run that mined", 20)
    known = set(mined(stack))
    (flower,) = stack.processes_of("flower")
    if how == signal.SIGKILL:
        known_at = time.time()

        def is_saved() -> bool:
            files = stack.data_dir.glob("flower.db*")  # dbm may add to the name
            # a save that began before the run was known does not count
            return any(path.stat().st_mtime > known_at + 5 for path in files)

        wait_for(is_saved, "a save", 40)
    flower.send_signal(how)

    def is_back() -> bool:
        return any(p.pid != flower.pid for p in stack.processes_of("flower")) and bool(mined(stack))

    psutil.wait_procs([flower], 20)
    wait_for(is_back, "the next Flower", 30)
    assert known <= set(mined(stack))
    assert json.loads(ask(stack, f"/api/task/info/{known.pop()}").body)["name"] == "mine"
