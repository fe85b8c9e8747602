"""One run of a miner: join or open the candidate, search nonces, connect, for a few seconds."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from chain.backlog import OpenCandidate, Reading, estimate_rate
from chain.header import Header, put_nonce
from chain.ledger import Connecting, Ledger, Opening
from chain.ledger.fleet import LEASE_MS
from chain.ledger.mining import Want
from chain.proof_of_work import Search
from chain.template import Template
from workers.pace import Pace

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

    def as_json(self) -> dict[str, Any]:
        """The result as a JSON object."""
        return asdict(self)


class Miner:
    """Mines on a ledger; what it measures stays from run to run.

    Args:
        ledger: chain and queue.
        search: looks through a range of nonces.
        recipient: who gets the rewards.
        tell: is told of each block that this miner connected, and how many requests are followed.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ledger: Ledger,
        search: Search,
        recipient: str,
        *,
        tell: Callable[[Header, OpenCandidate, int], None] = lambda *_: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._search = search
        self._recipient = recipient
        self._tell = tell
        self._clock = clock
        self._pace = Pace()
        self._fleet_rate = 0  # hashes a second of all miners at work, by the last reading
        self._count = 0  # of nonces, in the range that was claimed last
        self._seen = 0  # news of blocks, when it was claimed
        self._deadline = 0.0  # of the run
        self._read_at = 0.0  # when the reading came
        self._found_at: float | None = None  # when this run found a block and searched no other yet
        self._prefix = b""  # of the candidate that what follows was built for
        self._following: Template | None = None

    def run(self, run_s: float = RUN_S, *, worker: str = "") -> Result:
        """Mine what is due for about ``run_s`` seconds, as one of the miners of ``worker``.

        Raises:
            LedgerUnavailable: the server is away; whatever was being mined can be joined again.
        """
        result = Result()
        self._deadline = self._clock() + run_s
        self._found_at = None
        with self._ledger.fleet.lease(worker) as lease:
            reading, start = self._claim(lease)
            while self._clock() < self._deadline:
                if reading.is_unsettled:
                    self._ledger.settlement.step()
                    reading, start = self._claim(lease)
                    continue
                candidate = self._ledger.mining.find_candidate(reading)
                if candidate is None and not self._open(reading):
                    break
                if candidate is None or start is None:
                    reading, start = self._claim(lease)
                else:
                    reading, start = self._mine(reading, candidate, start, lease, result)
        return result

    def _open(self, reading: Reading) -> bool:
        """Offer a candidate if a block is due; tell whether there may be one now."""
        template = self._ledger.mining.build(reading, self._recipient)
        if template is None:
            return False
        return self._ledger.mining.open(reading, template) in Opening

    def _claim(self, lease: str) -> tuple[Reading, int | None]:
        self._seen = self._ledger.announcements.count  # before it: no news is missed
        began = self._clock()
        reading, start = self._ledger.mining.claim(self._want(lease))
        self._note_reading(reading)
        self._pace.note_claim(self._read_at - began)
        return reading, start

    def _want(self, lease: str, now_ms: int = 0) -> Want:
        self._count = self._pace.choose_count(self._ledger.rules.bits, self._fleet_rate)
        cost_us = int(self._pace.block_s * 1e6)
        return Want(self._count, lease, LEASE_MS, int(self._pace.rate), cost_us, now_ms)

    def _note_reading(self, reading: Reading) -> None:
        self._read_at = self._clock()
        self._fleet_rate = estimate_rate(reading)

    def _mine(
        self,
        reading: Reading,
        candidate: OpenCandidate,
        start: int,
        lease: str,
        result: Result,
    ) -> tuple[Reading, int | None]:
        """Search a range of the candidate; what is to be searched next."""
        if result.outcome == "idle":
            result.outcome = "helped"
        mining = self._ledger.mining
        if candidate.prefix != self._prefix:
            self._prefix = candidate.prefix
            self._following = mining.build_next(reading, candidate, self._recipient)
        nonce = self._search_range(candidate.prefix, start, reading.tip.index, result)
        if nonce is None:
            return self._claim(lease)
        found_at = self._clock()
        now_ms = reading.now_ms + int(1000 * (found_at - self._read_at))
        self._seen = self._ledger.announcements.count
        outcome, after, start_after = mining.connect_and_go_on(
            reading, candidate, nonce, self._following, self._want(lease, now_ms)
        )
        self._note_reading(after)
        if outcome is not Connecting.STALE:
            header = Header.unpack(put_nonce(candidate.prefix, nonce))
            _note(result, candidate, header)
            self._tell(header, candidate, reading.followed)
            self._found_at = found_at
        return after, start_after

    def _search_range(self, prefix: bytes, start: int, parent: int, result: Result) -> int | None:
        """Search the claimed range, slice by slice, until it is stale or the run is over."""
        began = self._clock()
        if self._found_at is not None:
            self._pace.note_block(began - self._found_at)
            self._found_at = None
        end = start + self._count
        step = self._pace.choose_slice()
        nonce, at = None, start
        while nonce is None and at < end:
            count = min(step, end - at)
            nonce = self._search(prefix, at, count)
            at += count
            if self._is_stale(parent) or self._clock() >= self._deadline:
                break
        tried = (at if nonce is None else nonce + 1) - start
        result.hashes += tried
        self._pace.note_search(tried, self._clock() - began)
        return nonce

    def _is_stale(self, parent: int) -> bool:
        """Tell whether news came of a block that is not ``parent``, the candidate's own."""
        news = self._ledger.announcements
        if news.count == self._seen:
            return False
        self._seen = news.count
        return news.latest != parent


def _note(result: Result, candidate: OpenCandidate, header: Header) -> None:
    result.outcome = "mined"
    result.blocks += 1
    result.transactions += candidate.count
    result.index = header.index
    result.hash = header.hash.hex()
