"""How long a reorganisation keeps the server at once, by the server's own log of slow calls."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minequeue.chain.ledger import Ledger, Submission, open_redis
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.protocol.transaction import Transaction, accept_submission
from minequeue.workers.mining.miner import Miner
from tests.bench.report import Figure, Report
from tests.ledgers import make_ledger, request_mine
from tests.peers import meet
from tests.server import run_server

COUNT = 50_000  # transactions of our stale blocks; the branch has a block more
PENDING = 990_000  # half of what the branch holds comes before them, as much after them
PER_BLOCK = 5_000
_RULES = Rules("reorganise", 4, 3600, PER_BLOCK, 2**22)
_BOUNDS = Bounds(pending=10**7, pending_bytes=2**33)


def measure() -> Report:
    """Measure one."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        _open(Path(scratch, "ours")) as ours,
        _open(Path(scratch, "theirs")) as theirs,
    ):
        branch = _make("branch", COUNT + PER_BLOCK)
        _mine(ours, _make("stale", COUNT))
        _mine(theirs, branch)
        _submit(ours, branch[: COUNT // 4])
        _submit(ours, _make("pending", PENDING - COUNT // 2))
        _submit(ours, branch[COUNT // 4 : COUNT // 2])
        client: Any = ours.redis.client
        client.config_set("slowlog-log-slower-than", 1000)  # us
        client.config_set("slowlog-max-len", 100_000)
        client.slowlog_reset()
        began = time.monotonic()
        meet(ours, theirs)
        took_s = time.monotonic() - began
        slowest = max(client.slowlog_get(100_000), key=lambda entry: int(entry["duration"]))
        assert ours.queue.read().pending == PENDING + COUNT - COUNT // 2
    return Report(
        "reorganise",
        [
            Figure(
                "the slowest command keeps the server", slowest["duration"] / 1000, "ms", at_most=50
            ),
            Figure("the whole", took_s, "s"),
        ],
        [
            f"{COUNT:,} transactions of stale blocks return, {len(branch):,} get places, and "
            f"{COUNT // 2:,} of {PENDING:,} pending ones leave.",
            f"The slowest command: {slowest['command'][:60]!r}",
        ],
    )


@contextmanager
def _open(directory: Path) -> Iterator[Ledger]:
    with run_server(directory) as url:
        yield make_ledger(open_redis(url, wait_s=60), _RULES, _BOUNDS)


def _make(name: str, count: int) -> list[Transaction]:
    payment = {"sender": "alice", "recipient": "bob", "amount": 1}
    return [
        accept_submission({**payment, "nonce": f"{name} {number}"}, lambda: "")
        for number in range(count)
    ]


def _submit(ledger: Ledger, transactions: Sequence[Transaction]) -> None:
    for start in range(0, len(transactions), PER_BLOCK):
        ledger.mempool.submit([Submission(transactions[start : start + PER_BLOCK])])


def _mine(ledger: Ledger, transactions: Sequence[Transaction]) -> None:
    for start in range(0, len(transactions), PER_BLOCK):
        _submit(ledger, transactions[start : start + PER_BLOCK])
        request_mine(ledger)
        while ledger.queue.read().depth:
            Miner(ledger, search_with_hashlib, "node").run()
