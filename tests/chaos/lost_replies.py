"""Replies that get lost after their script ran, by the thousand: nothing happens twice.

At the level of the ledger: its own repetitions go through the proxy that drops the replies.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from minequeue.chain.audit import Auditor
from minequeue.chain.ledger import Ledger, MinedBy, Submission, SubmitResult, open_redis
from minequeue.chain.protocol.rules import Bounds, Rules
from tests.chaos.faults.network import SCRIPTS
from tests.chaos.proxy import Proxy
from tests.chaos.run import describe
from tests.chaos.server import Server
from tests.chaos.trap import Trap
from tests.ledgers import make_job, make_ledger, make_miner, make_transaction, mine_all
from tests.waiting import wait_for

_CLIENTS, _MINERS = 8, 3
_WAIT_S = 10.0  # of a call: with every second reply lost, some lose several in a row
_RULES = Rules(
    network="lost-replies",
    bits=4,
    block_interval_s=0.05,
    block_transactions=50,
    block_bytes=1_000_000,
)
_BOUNDS = Bounds(pending=10**6, pending_bytes=2**30)


def run_lost_replies(count: int, *, data_dir: Path | None, as_json: bool) -> int:
    """Lose ``count`` replies and check the chain; 0, for whatever is wrong raises."""
    directory = data_dir or Path(tempfile.mkdtemp(prefix="minequeue-chaos-"))
    began = time.monotonic()
    found = lose_replies(count, directory.absolute() / "lost-replies")
    outcome = {**found, "took_s": round(time.monotonic() - began, 1)}
    click.echo(json.dumps(outcome) if as_json else describe(outcome))
    return 0


def lose_replies(count: int, directory: Path) -> dict[str, Any]:
    """Submit and mine through a proxy until so many replies were lost, and check everything.

    Raises:
        AssertionError: a transaction or a block is doubled or lost, or a script lost no reply.
    """
    with ExitStack() as opened:
        server = Server(directory).start()
        opened.callback(server.kill)
        proxy = opened.enter_context(Proxy(server.port))
        ledger = _open(f"redis://127.0.0.1:{proxy.port}/0")
        trap = proxy.trap = Trap(SCRIPTS, "after", most=count, every=2)
        with _at_work(ledger) as (ids, jobs):
            wait_for(trap.is_done.is_set, f"{count} lost replies", 300)
        mine_all(ledger)
        _check(_open(server.url), ids, jobs)
    assert set(trap.caught) == set(SCRIPTS)
    return {
        "lost_replies": dict(trap.caught),
        "transactions": len(ids),
        "jobs": len(jobs),
        "doubled": 0,
        "lost": 0,
    }


def _open(url: str) -> Ledger:
    return make_ledger(open_redis(url, wait_s=_WAIT_S), _RULES, _BOUNDS)


@contextmanager
def _at_work(ledger: Ledger) -> Iterator[tuple[list[str], list[str]]]:
    """Clients and miners in threads; gives what was accepted, complete once they have ended."""
    ids: list[str] = []
    jobs: list[str] = []
    stop = threading.Event()

    def submit() -> None:
        while not stop.is_set():
            transactions = [make_transaction() for _ in range(3)]
            assert ledger.mempool.submit([Submission(transactions)]) == [SubmitResult.ACCEPTED]
            ids.extend(transaction.id for transaction in transactions)
            job = make_job()
            assert ledger.mempool.request_mine(job) is SubmitResult.ACCEPTED
            jobs.append(job)

    def mine() -> None:
        miner = make_miner(ledger)
        while not stop.is_set():
            miner.run(0.5)

    with ThreadPoolExecutor(_CLIENTS + _MINERS) as threads:
        work = [threads.submit(submit) for _ in range(_CLIENTS)]
        work += [threads.submit(mine) for _ in range(_MINERS)]
        try:
            yield ids, jobs
        finally:
            stop.set()
    for done in work:
        done.result()


def _check(ledger: Ledger, ids: list[str], jobs: list[str]) -> None:
    auditor = Auditor(now_ms=int(time.time() * 1000), minimum_bits=_RULES.bits)
    for block in ledger.blocks.iterate(1, ledger.blocks.tip().header.index):
        auditor.add(json.loads(block.to_json()))  # it refuses an id that stands twice
    assert len(set(ids)) == len(ids) == auditor.summarise().transactions
    assert all(auditor.has(name) for name in ids)
    made = [ledger.blocks.locate_job(job) for job in jobs]
    assert all(isinstance(block, MinedBy) for block in made)
    assert len(set(made)) == len(jobs)
