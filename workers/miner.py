"""One run of a miner: join or open the candidate, search nonces, connect, for a few seconds."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from chain.backlog import OpenCandidate, Reading
from chain.header import Header, put_nonce
from chain.ledger import Connecting, Ledger, Opening
from chain.ledger.fleet import LEASE_MS
from chain.proof_of_work import Search

RUN_S = 2.0  # a run ends soon, so that a scale-in or a shutdown never waits long
RANGE_S = 0.05  # what one claim should take: a stale candidate costs no more than this
_FIRST_RANGE = 20_000  # nonces, while the speed is not known
_MEMORY_S = 0.1  # of searching that the measured speed looks back on


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
    """Mines on a ledger; keeps the measured speed from run to run.

    Args:
        ledger: chain and queue.
        search: looks through a range of nonces.
        recipient: who gets the rewards.
        tell: is told of each block that this miner connected.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ledger: Ledger,
        search: Search,
        recipient: str,
        *,
        tell: Callable[[Header, OpenCandidate], None] = lambda *_: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._search = search
        self._recipient = recipient
        self._tell = tell
        self._clock = clock
        self._rate = 0.0  # hashes a second, 0 while unknown

    def run(self, run_s: float = RUN_S, *, worker: str = "") -> Result:
        """Mine what is due for about ``run_s`` seconds, as one of the miners of ``worker``.

        Raises:
            LedgerUnavailable: the server is away; whatever was being mined can be joined again.
        """
        result = Result()
        deadline = self._clock() + run_s
        with self._ledger.fleet.lease(worker) as lease:
            while self._clock() < deadline:
                reading = self._ledger.queue.read()
                if reading.is_unsettled:
                    self._ledger.settlement.step()
                    continue
                candidate = self._ledger.mining.find_candidate(reading)
                if candidate is not None:
                    self._mine(reading, candidate, lease, deadline, result)
                elif not self._open(reading):
                    break
        return result

    def _open(self, reading: Reading) -> bool:
        """Offer a candidate if a block is due; tell whether there may be one now."""
        template = self._ledger.mining.build(reading, self._recipient)
        if template is None:
            return False
        return self._ledger.mining.open(reading, template) in Opening

    def _mine(
        self,
        reading: Reading,
        candidate: OpenCandidate,
        lease: str,
        deadline: float,
        result: Result,
    ) -> None:
        """Search the candidate until it is connected or stale, or the run is over."""
        if result.outcome == "idle":
            result.outcome = "helped"
        while self._clock() < deadline:
            count = int(self._rate * RANGE_S) or _FIRST_RANGE
            start = self._ledger.mining.claim(
                candidate, count, lease=lease, lease_ms=LEASE_MS, rate=int(self._rate)
            )
            if start is None:
                return
            nonce = self._search_range(candidate.prefix, start, count, result)
            if nonce is not None:
                if self._ledger.mining.connect(reading, candidate, nonce) is not Connecting.STALE:
                    header = Header.unpack(put_nonce(candidate.prefix, nonce))
                    _note(result, candidate, header)
                    self._tell(header, candidate)
                return

    def _search_range(self, prefix: bytes, start: int, count: int, result: Result) -> int | None:
        began = self._clock()
        nonce = self._search(prefix, start, count)
        tried = count if nonce is None else nonce - start + 1
        result.hashes += tried
        took = self._clock() - began
        measured = tried / max(took, 1e-6)
        # by its length: a hit after a few nonces measures the call and not the search
        weight = took / (took + _MEMORY_S) if self._rate else 1
        self._rate += weight * (measured - self._rate)
        return nonce


def _note(result: Result, candidate: OpenCandidate, header: Header) -> None:
    result.outcome = "mined"
    result.blocks += 1
    result.transactions += candidate.count
    result.index = header.index
    result.hash = header.hash.hex()
