"""Real Celery workers on a real server: they drain the queue, and their death costs a delay."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from minequeue.chain.ledger import Ledger, RedisClient, Submission
from tests.ledgers import make_transaction, mined_ids, read_chain, request_mine
from tests.server import start_server, url_of
from tests.waiting import wait_for
from tests.workers import StartWorker, is_drained, open_ledger


def _submit(ledger: Ledger, count: int) -> list[str]:
    transactions = [make_transaction() for _ in range(count)]
    ledger.mempool.submit([Submission(transactions)])
    return [transaction.id for transaction in transactions]


@pytest.fixture
def ledger(server_url: str, redis_client: RedisClient) -> Iterator[Ledger]:
    assert redis_client.client.ping()
    with open_ledger(server_url) as opened:
        yield opened


def test_workers_mine_what_was_asked_for_and_what_is_due_by_itself(
    server_url: str, ledger: Ledger, start_worker: StartWorker
) -> None:
    start_worker(server_url)
    accepted = _submit(ledger, 450)
    wait_for(lambda: is_drained(ledger), "a block by itself")
    jobs = [request_mine(ledger) for _ in range(30)]
    wait_for(lambda: is_drained(ledger), "a block for each request")
    assert list(mined_ids(ledger)) == accepted
    assert len(read_chain(ledger)) >= 1 + 3 + len(jobs)


def test_the_death_of_every_worker_process_loses_and_doubles_nothing(
    server_url: str, ledger: Ledger, start_worker: StartWorker
) -> None:
    accepted: list[str] = []
    for _ in range(3):
        worker = start_worker(server_url)
        accepted += _submit(ledger, 300)
        before = ledger.blocks.tip().header.index
        for _ in range(60):
            request_mine(ledger)
        wait_for(lambda b=before: ledger.blocks.tip().header.index > b, "a first block")  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        os.killpg(worker.pid, signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
        accepted += _submit(ledger, 10)
    requests = ledger.queue.read().mine_requests
    blocks = ledger.blocks.tip().header.index - 1
    assert requests + blocks >= 180
    start_worker(server_url)
    wait_for(lambda: is_drained(ledger), "draining")
    assert list(mined_ids(ledger)) == accepted
    assert ledger.blocks.tip().header.index - 1 >= 180


def test_a_worker_told_to_stop_finishes_its_run_and_leaves_no_process(
    server_url: str, ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker(server_url)
    for _ in range(200):
        request_mine(ledger)
    wait_for(lambda: ledger.queue.read().miners, "a miner at work")
    family = psutil.Process(worker.pid).children(recursive=True)
    worker.terminate()
    assert worker.wait(10) == 0
    assert not [process for process in family if process.is_running()]
    assert ledger.queue.read().fleet == 0
    assert ledger.queue.read().miners == 0


def test_the_death_of_the_server_loses_and_doubles_nothing(
    tmp_path: Path, start_worker: StartWorker
) -> None:
    server = start_server(tmp_path)
    url = url_of(tmp_path)
    with open_ledger(url) as ledger:
        start_worker(url)
        accepted: list[str] = []
        try:
            for _ in range(3):
                accepted += _submit(ledger, 300)
                before = ledger.blocks.tip().header.index
                for _ in range(40):
                    request_mine(ledger)
                wait_for(lambda b=before: ledger.blocks.tip().header.index > b, "a first block")  # type: ignore[misc]  # as above
                server.kill()
                server.wait()
                server = start_server(tmp_path)
            wait_for(lambda: is_drained(ledger), "draining after the last restart")
            assert list(mined_ids(ledger)) == accepted
        finally:
            server.kill()
        server.wait()


def test_workers_of_one_miner_each_wake_one_another_as_far_as_the_fleet_goes(
    server_url: str, redis_client: RedisClient, start_worker: StartWorker
) -> None:
    assert redis_client.client.ping()
    # blocks that keep three miners busy for longer than it takes to see them
    settings = {"bits": "24", "target_drain_time": "1", "miners": "1,1", "fleet": "0,3"}
    with open_ledger(server_url, **settings) as ledger:
        for _ in range(3):
            start_worker(server_url, **settings)
        wait_for(lambda: ledger.queue.read().fleet == 3, "three workers")
        for _ in range(40):
            request_mine(ledger)
        wait_for(lambda: ledger.queue.read().miners == 3, "three miners at work", 20)
