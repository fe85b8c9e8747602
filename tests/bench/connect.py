"""Where the time of a full block goes, from the head of pending to its connection, step by step."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from minequeue.chain.ledger import (
    ConnectResult,
    Ledger,
    OpenResult,
    Submission,
    SubmitResult,
    open_redis,
)
from minequeue.chain.protocol import block_template as template
from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.compose.wiring.workers import find_kernel
from tests.bench.drain import make_transactions
from tests.bench.report import Figure, Report
from tests.ledgers import make_ledger
from tests.server import run_server

T = TypeVar("T")
BLOCKS = 20
PER_BLOCK = 5_000
BITS = 16
_RULES = Rules("connect", BITS, 5, PER_BLOCK, 2**22)


class Times:
    """Notes how long named steps took, in milliseconds."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = {}

    def take(self, name: str, step: Callable[[], T]) -> T:
        """Run ``step`` and note its time."""
        began = time.perf_counter()
        outcome = step()
        self.ms.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return outcome


def measure() -> Report:
    """Mine full blocks, one step after the other."""
    times = Times()
    with tempfile.TemporaryDirectory() as scratch, run_server(Path(scratch)) as url:
        ledger = make_ledger(open_redis(url, wait_s=5), _RULES, Bounds(10**6, 2**30))
        transactions = make_transactions(BLOCKS * PER_BLOCK)
        for start in range(0, len(transactions), PER_BLOCK):
            batch = Submission(transactions[start : start + PER_BLOCK])
            assert ledger.mempool.submit([batch]) == [SubmitResult.ACCEPTED]
        for _ in range(BLOCKS):
            _mine_one(ledger, Path(scratch), times)
    whole = [sum(steps) for steps in zip(*times.ms.values(), strict=True)]
    figures = [Figure(name, median(found), "ms") for name, found in times.ms.items()]
    figures.append(Figure("all of it", median(whole), "ms"))
    figures.append(Figure("so many a second", 1000 * PER_BLOCK / median(whole), "transactions/s"))
    return Report(
        "connect",
        figures,
        [f"Medians of {BLOCKS} blocks of {PER_BLOCK:,} transactions at {BITS} bits, one process."],
    )


def _mine_one(ledger: Ledger, scratch: Path, times: Times) -> None:
    """What minequeue.workers.mining.miner does for a block, with a clock at each step."""
    reading = times.take("read queue and tip", ledger.queue.read)
    pending: Any = times.take(
        "read the head of pending",
        lambda: ledger.mining._read_pending(reading.pending),
    )
    built = times.take(
        "Merkle root and header",
        lambda: template.build_template(
            reading.tip, [0], pending, bits=BITS, recipient="node", now_ms=reading.now_ms
        ),
    )
    built = replace(built, revision=ledger.rule_book.page.revision)
    opening = times.take(
        "compress and offer the candidate", lambda: ledger.mining.open(reading, built)
    )
    assert opening is OpenResult.OPENED
    candidate = ledger.queue.read().candidate
    assert candidate is not None
    search = find_kernel(scratch).search
    nonce = times.take("search the nonce", lambda: search(candidate.prefix, 0, 2**32))
    assert nonce is not None
    outcome = times.take(
        "give places and connect", lambda: ledger.mining.connect(reading, candidate, nonce)
    )
    assert outcome is ConnectResult.CONNECTED
