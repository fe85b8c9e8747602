"""One run of a miner: join or open the candidate, search nonces, connect, for a few seconds."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeVar

from minequeue.chain.ledger import ConnectResult, Ledger
from minequeue.chain.ledger.fleet import LEASE_MS
from minequeue.chain.ledger.mining import PLACES_BATCH, NextBlock, Want
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.proof_of_work import Search
from minequeue.chain.scaling.backlog import OpenCandidate, Reading, estimate_rate
from minequeue.workers.mining.pace import Pace

T = TypeVar("T")
RUN_S = 2.0  # a run ends soon, so that a scale-in or a shutdown never waits long


@dataclass(slots=True)
class Result:
    """What a run did, as Flower shows it.

    Attributes:
        outcome: "mined"; "helped" where others connected the blocks; "idle" where nothing was due.
        blocks: how many blocks this run connected.
        transactions: how many transactions they took, rewards not counted.
        index: the last one's index.
        hash: the last one's hash, hex.
        hashes: how many nonces were tried.
    """

    outcome: str = "idle"
    blocks: int = 0
    transactions: int = 0
    index: int | None = None
    hash: str | None = None
    hashes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The result as a JSON object."""
        return asdict(self)


@dataclass(slots=True)
class _Share:
    """Nonces that are this miner's to search.

    Attributes:
        prefix: the candidate's.
        at: the first that was not tried yet.
        end: behind the last.
        nonce: the one that meets the target, once it is found.
    """

    prefix: bytes
    at: int
    end: int
    nonce: int | None = None


class Miner:
    """Mines on a ledger; what it measures stays from run to run.

    Args:
        ledger: chain and queue.
        search: looks through a range of nonces.
        recipient: who gets the rewards.
        tell: is told of each block that this miner connected, and how many requests are tracked.
        begin: called once, by the thread that searches, when the one that connects has started.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ledger: Ledger,
        search: Search,
        recipient: str,
        *,
        tell: Callable[[Header, OpenCandidate, int], None] = lambda *_: None,
        begin: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._search = search
        self._recipient = recipient
        self._tell = tell
        self._clock = clock
        self._pace = Pace()
        self._begin = begin
        self._has_begun = False
        self._sender = ThreadPoolExecutor(1, "sender")  # connects while this thread searches ahead
        self._fleet_rate = 0  # hashes a second of all miners at work, by the last reading
        self._seen = 0  # news of blocks, when it was claimed
        self._deadline = 0.0  # of the run
        self._read_at = 0.0  # when the reading came
        self._found_at: float | None = None  # when this run found a block and searched no other yet
        self._prefix = b""  # of the candidate that what follows was built for
        self._next_block: NextBlock | None = None

    def run(self, run_s: float = RUN_S, *, worker: str = "") -> Result:
        """Mine what is due for about ``run_s`` seconds, as one of the miners of ``worker``.

        Raises:
            LedgerUnavailable: the server is away; whatever was being mined can be joined again.
        """
        if not self._has_begun:
            self._has_begun = True
            self._sender.submit(int)  # starts its thread
            self._begin()
        result = Result()
        self._deadline = self._clock() + run_s
        self._found_at = None
        with self._ledger.fleet.lease(worker) as lease:
            reading, share = self._claim(lease)
            while self._clock() < self._deadline or (share and share.nonce is not None):
                if reading.is_unsettled:
                    self._ledger.settlement.step()
                    reading, share = self._claim(lease)
                    continue
                candidate = self._ledger.mining.find_candidate(reading)
                if candidate is None and not self._open(reading):
                    break
                if candidate is None or share is None:
                    reading, share = self._claim(lease)
                else:
                    reading, share = self._mine(reading, candidate, share, lease, result)
        return result

    def _open(self, reading: Reading) -> bool:
        """Offer a candidate if a block is due; tell whether there may be one now."""
        template = self._ledger.mining.build(reading, self._recipient)
        if template is None:
            return False
        self._ledger.mining.open(reading, template)
        return True

    def _claim(self, lease: str) -> tuple[Reading, _Share | None]:
        self._seen = self._ledger.announcements.count  # before it: no news is missed
        want = self._want(lease)
        began = self._clock()
        reading, start = self._call(partial(self._ledger.mining.claim, want))
        self._fleet_rate = estimate_rate(reading)
        self._pace.note_claim(self._read_at - began)
        return reading, _take(reading, start, want)

    def _want(self, lease: str) -> Want:
        count = self._pace.choose_count(self._ledger.rules.bits, self._fleet_rate)
        cost_us = int(self._pace.block_s * 1e6)
        return Want(count, lease, LEASE_MS, int(self._pace.rate), cost_us)

    def _mine(
        self,
        reading: Reading,
        candidate: OpenCandidate,
        share: _Share,
        lease: str,
        result: Result,
    ) -> tuple[Reading, _Share | None]:
        """Search a share of the candidate; what is to be searched next.

        While the server connects what was found, its successor is searched already.
        """
        if result.outcome == "idle":
            result.outcome = "helped"
        mining = self._ledger.mining
        if candidate.prefix != self._prefix:
            self._prefix = candidate.prefix
            self._next_block = mining.build_next(reading, candidate, self._recipient)
        if self._found_at is not None:
            self._pace.note_block(self._clock() - self._found_at)
            self._found_at = None
        self._search_share(share, reading.tip.index, result)
        if share.nonce is None:
            return self._claim(lease)
        found_at = self._clock()
        header = mining.complete(reading, candidate, share.nonce)
        next_block = self._prepare_next(reading, candidate, header)
        want = self._want(lease)
        self._seen = self._ledger.announcements.count
        connect = partial(mining.connect_and_go_on, reading, candidate, header, next_block, want)
        answer = self._sender.submit(self._call, connect)
        ahead = (
            _Share(next_block.template.block.header.prefix, 0, want.count) if next_block else None
        )
        if ahead and self._clock() < self._deadline:
            self._search_share(ahead, header.index, result, answer.done)
        outcome, after, start = answer.result()
        self._fleet_rate = estimate_rate(after)
        if outcome is not ConnectResult.STALE:
            _note(result, candidate, header)
            self._tell(header, candidate, after.tracked)
        given = _take(after, start, want)
        if given is None:
            self._found_at = found_at
            return after, None
        self._pace.note_block(self._read_at - found_at)
        is_ahead = ahead and (ahead.prefix, start) == (given.prefix, 0)
        return after, ahead if is_ahead else given

    def _prepare_next(
        self, reading: Reading, candidate: OpenCandidate, header: Header
    ) -> NextBlock | None:
        """The block after the complete candidate, if it can be opened in the same round trip."""
        mining, next_block = self._ledger.mining, self._next_block
        entries = mining.read_next_entries(reading, candidate) if next_block is None else None
        placing = None
        if candidate.count > PLACES_BATCH:
            placing = self._sender.submit(mining.place_all_but_last, candidate, header)
        if entries is not None:  # meanwhile
            next_block = mining.build_next_of(reading, candidate, entries, self._recipient)
        if placing:
            placing.result()
        if next_block is None:
            return None
        now_ms = reading.now_ms + int(1000 * (self._clock() - self._read_at))
        return next_block.move(header, reading.timestamps, now_ms)

    def _call(self, call: Callable[[], T]) -> T:
        """Call the ledger for a reading, and note when it came; from either thread."""
        answer = call()
        self._read_at = self._clock()
        return answer

    def _search_share(
        self,
        share: _Share,
        parent: int,
        result: Result,
        is_answered: Callable[[], bool] = lambda: False,
    ) -> None:
        """Search until a hit, the end, news that it is stale, an answer, or the end of the run."""
        first, began = share.at, self._clock()
        step = self._pace.choose_slice()
        while share.nonce is None and share.at < share.end:
            count = min(step, share.end - share.at)
            share.nonce = self._search(share.prefix, share.at, count)
            share.at = share.at + count if share.nonce is None else share.nonce + 1
            if self._is_stale(parent) or is_answered() or self._clock() >= self._deadline:
                break
        if share.at > first:
            result.hashes += share.at - first
            self._pace.note_search(share.at - first, self._clock() - began)

    def _is_stale(self, parent: int) -> bool:
        """Tell whether news came of a block behind ``parent``; news of older ones may be late."""
        news = self._ledger.announcements
        if news.count == self._seen:
            return False
        self._seen = news.count
        return news.latest > parent


def _note(result: Result, candidate: OpenCandidate, header: Header) -> None:
    result.outcome = "mined"
    result.blocks += 1
    result.transactions += candidate.count
    result.index = header.index
    result.hash = header.hash.hex()


def _take(reading: Reading, start: int | None, want: Want) -> _Share | None:
    if start is None or reading.candidate is None:
        return None
    return _Share(reading.candidate.prefix, start, start + want.count)
