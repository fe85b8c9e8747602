"""Do two workers mine twice the blocks of one? And how long does anyone work on what is stale?"""

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from chain.backlog import OpenCandidate, Reading
from chain.header import Header
from chain.ledger import Connecting, Ledger, connect
from chain.ledger.keys import Keys
from chain.ledger.mining import Mining
from chain.rules import Bounds, Rules
from compose.wiring import find_kernel
from tests.bench.fleet import open_ledger, request_blocks, run_stack, workers_held
from tests.bench.report import Figure, Report
from tests.ledgers import make_ledger
from tests.server import run_server
from tests.waiting import wait_for
from workers.miner import Miner

BLOCK_S = 2.0  # about what a block should take one worker
ROUNDS, BLOCKS = 2, 16  # each round mines so many blocks with one worker, then with two
STALE_BLOCKS = 60
STALE_BLOCK_S = 0.3
MINERS = 2
_TRIAL = 20_000_000  # nonces
_NO_HIT = bytes(4) + (256).to_bytes(4, "big") + bytes(80)


@dataclass
class Arm:
    """What so many workers did.

    Attributes:
        seconds: how long they mined.
        blocks: how many blocks they connected.
        hashes: how many nonces those blocks needed, up to the first hit of each.
    """

    seconds: float = 0
    blocks: int = 0
    hashes: int = 0


def measure() -> Report:
    """Mine the same number of blocks with one worker and with two, in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        rate = _measure_rate(Path(scratch))
        bits = round(math.log2(rate * BLOCK_S))
        arms = {1: Arm(), 2: Arm()}
        for _ in range(ROUNDS):
            for workers, arm in arms.items():
                _mine(arm, workers, bits, Path(scratch))
        stale_ms = list(_measure_stale(round(math.log2(rate * STALE_BLOCK_S)), Path(scratch)))
    one, two = arms[1], arms[2]
    speeds = {name: arm.hashes / arm.seconds for name, arm in arms.items()}
    return Report(
        "scaling",
        [
            Figure("one worker: a block takes", one.seconds / one.blocks, "s"),
            Figure("two workers: a block takes", two.seconds / two.blocks, "s"),
            Figure("blocks of each", min(one.blocks, two.blocks), "", at_least=30),
            Figure("blocks by two workers over one, luck out", speeds[2] / speeds[1], "x", 1.8),
            Figure(
                "blocks by two workers over one, as it came",
                two.blocks / two.seconds / (one.blocks / one.seconds),
                "x",
            ),
            Figure("hashing on what is stale, median", sorted(stale_ms)[len(stale_ms) // 2], "ms"),
            Figure("hashing on what is stale, longest", max(stale_ms), "ms", at_most=100),
        ],
        [
            f"{bits} bits; Celery workers of one process each, {ROUNDS} rounds in turn.",
            "Luck is taken out by counting the hashes that the blocks needed, up to the first hit: "
            f"the number of tries of {one.blocks} blocks varies by a fifth.",
            f"Stale: {MINERS} processes, {STALE_BLOCKS} blocks; from a block's connection by one "
            "to the end of the other's search of the same candidate.",
        ],
    )


def _measure_rate(scratch: Path) -> float:
    search = find_kernel(scratch).search
    began = time.perf_counter()
    search(_NO_HIT, 0, _TRIAL)
    return _TRIAL / (time.perf_counter() - began)


def _mine(arm: Arm, workers: int, bits: int, scratch: Path) -> None:
    """Let ``workers`` mine a round's blocks, and add what they did to ``arm``."""
    with run_stack(bits=str(bits), workers=f"{workers},{workers}") as stack:
        ledger = open_ledger(stack)
        request_blocks(ledger, 1)  # every process loads and measures its kernel before it counts
        wait_for(lambda: ledger.queue.read().depth == 0, "a first block")
        first = ledger.blocks.tip().header.index + 1
        with workers_held(stack):
            request_blocks(ledger, BLOCKS)
            began = time.perf_counter()
        wait_for(lambda: ledger.queue.read().depth == 0, "the blocks", 600)
        arm.seconds += time.perf_counter() - began
        last = ledger.blocks.tip().header.index
        headers = [record.header for record in ledger.blocks.read_records(first, last)]
        arm.blocks += len(headers)
        arm.hashes += sum(_count_needed(header, scratch) for header in headers)


def _count_needed(header: Header, scratch: Path) -> int:
    """The nonces up to the first hit; the block's own may be a later one, found by the other."""
    hit = find_kernel(scratch).search(header.prefix, 0, header.proof + 1)
    assert hit is not None
    return hit + 1


def _measure_stale(bits: int, scratch: Path) -> Iterator[float]:
    """For each block, how long others went on with its candidate, in milliseconds."""
    with run_server(scratch) as url:
        rules = Rules("stale", bits, 5, 5000, 2**21)
        ledger = _open(url, rules)
        for _ in range(STALE_BLOCKS):
            request_blocks(ledger, 1)
        processes = get_context("spawn")
        records: Any = processes.Queue()
        miners = [
            processes.Process(target=_run_miner, args=(url, scratch, rules, records))
            for _ in range(MINERS)
        ]
        for miner in miners:
            miner.start()
        found = [records.get(timeout=300) for _ in miners]
        for miner in miners:
            miner.join()
    connected = {prefix: at for _, connects in found for prefix, at in connects}
    for searches, _ in found:
        last = dict(searches)  # the last search of each candidate
        yield from (
            max(0.0, ended - connected[prefix]) * 1000
            for prefix, ended in last.items()
            if prefix in connected
        )


class _NotedMining(Mining):
    """Notes which candidate was connected when."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connected: list[tuple[bytes, float]] = []

    def connect(self, reading: Reading, candidate: OpenCandidate, nonce: int) -> Connecting:
        """As its parent, and note it."""
        outcome = super().connect(reading, candidate, nonce)
        if outcome is Connecting.CONNECTED:
            self.connected.append((candidate.prefix, time.monotonic()))
        return outcome


def _open(url: str, rules: Rules) -> Ledger:
    return make_ledger(connect(url, wait_s=2), rules, Bounds(10**6, 2**30))


def _run_miner(url: str, scratch: Path, rules: Rules, records: Any) -> None:
    """Mine until nothing is due; tell when each search ended and each block was connected."""
    ledger, search = _open(url, rules), find_kernel(scratch).search
    searches: list[tuple[bytes, float]] = []
    mining = ledger.mining = _NotedMining(
        ledger.connection, Keys(rules.network), ledger.blocks, rules
    )

    def noted_search(header_prefix: bytes, start: int, count: int) -> int | None:
        hit = search(header_prefix, start, count)
        searches.append((header_prefix, time.monotonic()))
        return hit

    miner = Miner(ledger, noted_search, "node")
    while ledger.queue.read().depth:
        miner.run()
    records.put((searches, mining.connected))
