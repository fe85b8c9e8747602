"""Do two miners mine twice the blocks of one? And how long does anyone work on what is stale?"""

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import Any

from minequeue.chain.ledger import Ledger, open_redis
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.scaling.backlog import OpenCandidate
from minequeue.compose.wiring.workers import find_kernel
from minequeue.workers.mining.miner import Miner
from tests.bench.fleet import open_ledger, request_blocks, run_stack, workers_held
from tests.bench.report import Figure, Report
from tests.http import request
from tests.ledgers import make_ledger
from tests.server import run_server
from tests.stack import Stack
from tests.waiting import wait_for

BURST_S = 6.0  # what a burst of mine requests should take one miner
ROUNDS = 3
# of the speed that two bare kernels have over one; of one miner's hash limit
SHARES = {16: None, 20: 0.8, 22: 0.95, 24: 0.97}
LIMITS = {20: 0.95}
BLOCKS_A_SECOND = {16: 700}
STALE_BLOCKS = 60
STALE_BLOCK_S = 0.3
MINERS = 2
_TRIAL = 60_000_000  # nonces
_NO_HIT = bytes(4) + (256).to_bytes(4, "big") + bytes(80)


@dataclass(frozen=True, slots=True)
class Burst:
    """What so many miners did.

    Attributes:
        blocks: how many they connected a second.
        share: of the nonces that so many bare kernels search a second, measured right before
            and right after, how many those blocks needed, up to the first hit of each.
    """

    blocks: float
    share: float


def measure() -> Report:
    """Mine bursts of requests with one miner and with two, at several difficulties."""
    with tempfile.TemporaryDirectory() as scratch:
        one, two = (_measure_rate(Path(scratch), count) for count in (1, MINERS))
        figures = [
            Figure("one bare kernel", one / 1e6, "MH/s"),
            Figure("two bare kernels over one", two / one, "x"),
        ]
        for bits, share in SHARES.items():
            count = max(30, round(BURST_S * one / 2**bits))
            single, double = (_mine(bits, miners, count, Path(scratch)) for miners in (1, MINERS))
            figures += [
                Figure(f"{bits} bits, one miner", single.blocks, "/s", BLOCKS_A_SECOND.get(bits)),
                Figure(
                    f"{bits} bits, one miner over its hash limit",
                    single.share,
                    "x",
                    LIMITS.get(bits),
                ),
                Figure(
                    f"{bits} bits, two miners",
                    double.blocks,
                    "/s",
                    single.blocks if bits in BLOCKS_A_SECOND else None,
                ),
                Figure(
                    f"{bits} bits, two over one, of what two bare kernels give",
                    double.share / single.share,
                    "x",
                    share,
                ),
            ]
        stale_ms = list(_measure_stale(round(math.log2(one * STALE_BLOCK_S)), Path(scratch)))
    return Report(
        "scaling",
        [
            *figures,
            Figure("hashing on what is stale, median", sorted(stale_ms)[len(stale_ms) // 2], "ms"),
            Figure("hashing on what is stale, longest", max(stale_ms), "ms", at_most=2),
        ],
        [
            f"Medians of {ROUNDS} bursts of mine requests, of about {BURST_S:.0f} s for one miner; "
            "`minequeue up` with one miner, then with two.",
            "Luck is taken out of comparisons by counting the hashes that the blocks needed, up "
            "to the first hit: the number of tries of 100 blocks varies by a tenth.",
            "Bare kernels are measured again around each burst: other guests of the host take "
            "from 2 to 40 % of the time, and that changes from minute to minute.",
            f"Stale: {MINERS} processes, {STALE_BLOCKS} blocks; from a block's connection by one "
            "to the end of the other's search of the same candidate.",
        ],
    )


def _measure_rate(scratch: Path, processes: int) -> float:
    """Hashes a second of so many bare kernels side by side, together."""
    context = get_context("spawn")
    start = context.Barrier(processes)
    rates: Any = context.Queue()
    searching = [
        context.Process(target=_search, args=(scratch, start, rates)) for _ in range(processes)
    ]
    for process in searching:
        process.start()
    found: list[float] = [rates.get(timeout=120) for _ in searching]
    for process in searching:
        process.join()
    return sum(found)


def _search(scratch: Path, start: Any, rates: Any) -> None:
    search = find_kernel(scratch).search
    start.wait()
    began = time.perf_counter()
    search(_NO_HIT, 0, _TRIAL)
    rates.put(_TRIAL / (time.perf_counter() - began))


def _mine(bits: int, miners: int, count: int, scratch: Path) -> Burst:
    """Let ``miners`` mine a few bursts of ``count`` blocks; the median of each figure."""
    with run_stack(bits=str(bits), miners=f"{miners},{miners}") as stack:
        ledger = open_ledger(stack)
        request_blocks(ledger, miners)  # every process loads its kernel before it counts
        wait_for(lambda: ledger.queue.read().depth == 0, "a first block")
        rates = [_measure_rate(scratch, miners)]
        blocks, shares = [], []
        for _ in range(ROUNDS):
            headers, took_s = _mine_burst(stack, ledger, count)
            rates.append(_measure_rate(scratch, miners))
            needed = sum(_count_needed(header, scratch) for header in headers)
            blocks.append(count / took_s)
            shares.append(needed / took_s / mean(rates[-2:]))
    return Burst(median(blocks), median(shares))


def _mine_burst(stack: Stack, ledger: Ledger, count: int) -> tuple[list[Header], float]:
    """The headers of a burst of ``count`` blocks, and the seconds that it took."""
    first = ledger.blocks.tip().header.index + 1
    with workers_held(stack):
        request_blocks(ledger, count - 1)
    began = time.perf_counter()
    asked = request("POST", f"{stack.url}/chain/mine", b"", {})  # wakes all miners that are kept
    assert asked.status == 202
    wait_for(lambda: ledger.queue.read().depth == 0, "the blocks", 600)
    took_s = time.perf_counter() - began
    records = ledger.blocks.read_records(first, first + count - 1)
    return [record.header for record in records], took_s


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


def _open(url: str, rules: Rules) -> Ledger:
    return make_ledger(open_redis(url, wait_s=2), rules, Bounds(10**6, 2**30))


def _run_miner(url: str, scratch: Path, rules: Rules, records: Any) -> None:
    """Mine until nothing is due; tell when each search ended and each block was connected."""
    ledger, search = _open(url, rules), find_kernel(scratch).search
    ledger.announcements.listen()
    searches: list[tuple[bytes, float]] = []
    connected: list[tuple[bytes, float]] = []

    def noted_search(header_prefix: bytes, start: int, count: int) -> int | None:
        hit = search(header_prefix, start, count)
        searches.append((header_prefix, time.monotonic()))
        return hit

    def note(header: Header, _candidate: OpenCandidate, _followed: int) -> None:
        connected.append((header.prefix, time.monotonic()))

    miner = Miner(ledger, noted_search, "node", tell=note)
    while ledger.queue.read().depth:
        miner.run()
    records.put((searches, connected))
