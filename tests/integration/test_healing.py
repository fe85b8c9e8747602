"""Whatever happened to the server or to the consumer, every worker soon consumes again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from minequeue.chain.errors import QueueFull
from minequeue.chain.ledger import Ledger
from minequeue.compose.wiring.workers import make_celery
from tests.ledgers import request_mine, submit
from tests.server import run_server, start_server, url_of
from tests.waiting import wait_for
from tests.workers import StartWorker, make_settings, open_ledger

RETRY_DELAY_S = 10  # from the server's return to the next block
FROZEN_S = 30


class Plant:
    """A server of the test's own, and one worker with one miner on it."""

    def __init__(self, directory: Path, start_worker: StartWorker) -> None:
        self.directory = directory
        self.server = start_server(directory)
        self.url = url_of(directory)
        self._opened = ExitStack()
        self.ledger: Ledger = self._opened.enter_context(open_ledger(self.url))
        self.worker = start_worker(self.url, miners="1,1")

    def mine_one(self, timeout_s: float) -> None:
        """Ask for a block and wait until it is there."""
        before = self.ledger.blocks.tip().header.index
        request_mine(self.ledger)
        wait_for(lambda: self.ledger.blocks.tip().header.index > before, "a block", timeout_s)

    def end(self) -> None:
        """The server is gone after this."""
        self._opened.close()
        self.server.kill()
        self.server.wait()

    def restart_server(self) -> None:
        self.server.kill()
        self.server.wait()
        self.server = start_server(self.directory)


@pytest.fixture
def plant(tmp_path: Path, start_worker: StartWorker) -> Iterator[Plant]:
    made = Plant(tmp_path, start_worker)
    try:
        made.mine_one(60)
        yield made
    finally:
        made.end()


def test_after_each_of_several_restarts_of_the_server_a_worker_consumes_again(
    plant: Plant,
) -> None:
    for _ in range(4):
        plant.restart_server()
        plant.mine_one(RETRY_DELAY_S)
    assert plant.worker.poll() is None


def test_after_the_server_was_frozen_a_worker_consumes_again(plant: Plant) -> None:
    plant.server.send_signal(signal.SIGSTOP)
    try:
        time.sleep(FROZEN_S)  # the fault itself is a time
    finally:
        plant.server.send_signal(signal.SIGCONT)
    plant.mine_one(RETRY_DELAY_S)
    assert plant.worker.poll() is None


def test_after_every_connection_was_cut_a_worker_consumes_again(plant: Plant) -> None:
    for _ in range(3):
        client: Any = plant.ledger.redis.client  # redis leaves execute_command() untyped
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        plant.mine_one(RETRY_DELAY_S)
    assert plant.worker.poll() is None


def test_a_worker_that_reads_its_queue_no_more_ends_itself(plant: Plant, tmp_path: Path) -> None:
    app = make_celery(make_settings(plant.url))
    wait_for(lambda: _check(tmp_path) == 0, "a liveness file", 20)
    (name,) = app.control.inspect(timeout=2).active_queues() or {"no worker": []}
    for queue in (app.mine_queue, app.self_test_queue(name)):
        app.control.cancel_consumer(queue)  # as a consumer that hangs after a lost connection
    assert plant.worker.wait(20) == -signal.SIGKILL
    assert "the consumer has read nothing" in (tmp_path / "worker.log").read_text()
    wait_for(lambda: _check(tmp_path) == 1, "a liveness file that is no longer fresh", 20)


def _check(data_dir: Path, *options: str) -> int:
    """The exit code of `minequeue worker --check`."""
    command = [sys.executable, "-m", "minequeue", "worker", "--data-dir", str(data_dir), "--check"]
    return subprocess.run([*command, *options], capture_output=True, check=False).returncode


def test_a_worker_of_a_plain_name_hears_its_own_pulse(tmp_path: Path) -> None:
    with run_server(tmp_path) as url:
        settings = make_settings(url, data_dir=str(tmp_path)).as_environment()
        worker = subprocess.Popen(
            [sys.executable, "-m", "minequeue", "worker", "--name", "plain"],
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: _check(tmp_path, "--name", "plain") == 0, "a liveness file", 30)
        finally:
            worker.terminate()
            worker.wait()


def test_workers_come_up_and_mine_where_the_servers_memory_has_run_out(
    tmp_path: Path, start_worker: StartWorker
) -> None:
    with run_server(tmp_path) as url, open_ledger(url) as ledger:
        submit(ledger, 50)
        request_mine(ledger)
        client: Any = ledger.redis.client  # redis leaves config_set() untyped
        client.config_set("maxmemory", 1)
        start_worker(url, miners="1,1")
        wait_for(lambda: ledger.queue.read().depth == 0, "all to be mined", 30)
        with pytest.raises(QueueFull):
            submit(ledger)


def test_a_worker_leaves_nothing_behind_in_the_server(plant: Plant) -> None:
    client: Any = plant.ledger.redis.client
    names = {key.decode() for key in client.keys("*")}
    assert {name for name in names if not name.startswith("{minequeue:")} == set()
