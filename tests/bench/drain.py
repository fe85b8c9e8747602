"""How quickly one worker empties a queue, beside Celery running one task for each transaction."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from minequeue.chain.ledger import Ledger, Submission, SubmitResult
from minequeue.chain.protocol.transaction import Transaction, accept_submission
from minequeue.compose.config.embedded import socket_path
from tests.bench import task_per_transaction
from tests.bench.fleet import open_ledger, request_blocks, run_stack, workers_held
from tests.bench.report import Figure, Report
from tests.stack import Stack
from tests.waiting import wait_for

BITS = "16"
TRANSACTIONS = 100_000
MINE_REQUESTS = 1_000
TASKS = 3_000
BATCH = 10_000
ADDRESS = 40  # characters
_CHECKOUT = Path(__file__).parents[2]


def measure() -> Report:
    """Fill the queue while the worker is held still, let it go, wait until the queue is empty."""
    with run_stack(bits=BITS, miners="1,1", block_interval="0.5") as stack:
        ledger = open_ledger(stack)
        transactions_s = _drain(stack, ledger, lambda: _submit(ledger, TRANSACTIONS))
        blocks = ledger.blocks.tip().header.index
        requests_s = _drain(stack, ledger, lambda: request_blocks(ledger, MINE_REQUESTS))
        blocks = ledger.blocks.tip().header.index - blocks
        tasks_s = _run_tasks(stack)
    per_second, tasks_per_second = TRANSACTIONS / transactions_s, TASKS / tasks_s
    return Report(
        "drain",
        [
            Figure("queued transactions into blocks", per_second, "/s", at_least=30_000),
            Figure("queued mine requests into blocks", MINE_REQUESTS / requests_s, "/s", 100),
            Figure("blocks that the mine requests made", blocks, "", at_least=MINE_REQUESTS),
            Figure("yardstick: Celery tasks, one a transaction", tasks_per_second, "/s"),
            Figure("blocks over tasks", per_second / tasks_per_second, "x"),
        ],
        [
            f"{TRANSACTIONS:,} transactions, addresses of {ADDRESS} characters; one worker with "
            f"one miner at {BITS} bits. A task of the yardstick hashes its transaction, no more.",
        ],
    )


def _drain(stack: Stack, ledger: Ledger, fill: Callable[[], None]) -> float:
    """How long the worker takes for what ``fill`` queues, in seconds."""
    with workers_held(stack):
        fill()
        began = time.perf_counter()
    wait_for(lambda: ledger.queue.read().depth == 0, "draining", 300)
    return time.perf_counter() - began


def make_transactions(count: int) -> list[Transaction]:
    """Transactions with addresses of 40 characters, each another."""
    return [
        accept_submission(
            {"sender": f"{n:a>{ADDRESS}}", "recipient": "b" * ADDRESS, "amount": n},
            lambda: uuid.uuid4().hex,
        )
        for n in range(count)
    ]


def _submit(ledger: Ledger, count: int) -> None:
    transactions = make_transactions(count)
    for start in range(0, count, BATCH):
        verdicts = ledger.mempool.submit([Submission(transactions[start : start + BATCH])])
        assert verdicts == [SubmitResult.ACCEPTED]


def _run_tasks(stack: Stack) -> float:
    """How long one process of a Celery worker takes for the yardstick's tasks, in seconds."""
    broker = f"redis+socket://{socket_path(stack.data_dir)}"  # as Celery spells it
    app = task_per_transaction.make_app(broker)
    for transaction in make_transactions(TASKS):
        app.send_task(task_per_transaction.TASK, [transaction.canonical.decode()])
    began = time.perf_counter()
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.task_per_transaction", broker],
        env=os.environ,
        cwd=_CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: task_per_transaction.count_left(app) < TASKS, "the first task")
        began, left = time.perf_counter(), task_per_transaction.count_left(app)
        wait_for(lambda: task_per_transaction.count_left(app) == 0, "the tasks", 300)
        return (time.perf_counter() - began) * TASKS / left
    finally:
        worker.terminate()
        worker.wait()
