"""How much work the queue holds: pure arithmetic on a reading."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from minequeue.chain.moment import is_ahead
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.rules import Rules
from minequeue.chain.protocol.validation import MAX_AHEAD_MS

_LAST_DATE_S = 253_402_300_799  # of the year 9999; a header may say any year


@dataclass(frozen=True, slots=True)
class OpenCandidate:
    """The block that all miners work on.

    Attributes:
        prefix: its header's 88 bytes before the nonce.
        count: how many pending transactions it takes.
        job: the mine request that it serves, or "" for a block that was due by itself.
        reward_id: the id of the transaction that ends it, 32 bytes.
    """

    prefix: bytes
    count: int
    job: str
    reward_id: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """Queue, tip and fleet at one moment.

    Attributes:
        now_ms: the server's clock, Unix milliseconds.
        pending: how many transactions wait.
        pending_bytes: their size in the queue.
        oldest_pending_ms: when the oldest was accepted, or None.
        mine_requests: how many mine requests wait.
        oldest_job: the oldest one's job, or None.
        oldest_job_ms: when it was accepted, or None.
        tip: the tip's header.
        tip_work: the cumulative work up to the tip.
        candidate: what is being mined, or None.
        miners: how many miners hold a live lease.
        fleet: how many miners the live workers can run.
        live_rate: the hashes a second of the miners at work, together.
        miner_rate: the hashes a second that a miner last had, or 0.
        kernels: what the live workers search nonces with, and how many miners do so by each.
        peaks: how many miners were needed lately, as :mod:`chain.scaling.policy` remembers it.
        is_unsettled: whether a reorganisation left something to do before the next block.
        earliest_ms: before then no block can follow the tip, because the newest blocks have
            timestamps of the future; 0 where they have not. Unix milliseconds.
        block_cost_s: what a block last cost besides its search, in seconds, or 0: nobody searches
            meanwhile, however many miners there are.
        timestamps: those that the next block is judged by, oldest first; Unix milliseconds.
        tracked: how many requests are tracked into their blocks.
        following: the pending transactions after the candidate's, in canonical form; none if they
            are more than a reading brings along.
    """

    now_ms: int
    pending: int
    pending_bytes: int
    oldest_pending_ms: int | None
    mine_requests: int
    oldest_job: str | None
    oldest_job_ms: int | None
    tip: Header
    tip_work: int
    candidate: OpenCandidate | None
    miners: int
    fleet: int
    live_rate: int
    miner_rate: int
    kernels: Mapping[str, int]
    peaks: str
    is_unsettled: bool = False
    block_cost_s: float = 0.0
    timestamps: Sequence[int] = ()
    tracked: int = 0
    following: Sequence[bytes] = ()
    earliest_ms: int = 0

    @property
    def is_of_the_future(self) -> bool:
        """Whether the tip is so far ahead of the server's clock that other nodes refuse it."""
        return self.tip.timestamp > self.now_ms + MAX_AHEAD_MS

    @property
    def rest_ms(self) -> int:
        """For how long no block can follow the tip, in milliseconds."""
        return max(0, self.earliest_ms - self.now_ms)

    @property
    def depth(self) -> int:
        """All that was accepted and is not in a block."""
        return self.pending + self.mine_requests

    @property
    def oldest_age_s(self) -> float:
        """How long the oldest entry has waited, in seconds; 0 when nothing waits."""
        since = [t for t in (self.oldest_pending_ms, self.oldest_job_ms) if t is not None]
        return max(0, self.now_ms - min(since)) / 1000 if since else 0.0


def is_block_due(reading: Reading, rules: Rules) -> bool:
    """Tell whether a block should be mined now: by request, or by itself."""
    if reading.rest_ms:
        return False
    if reading.mine_requests or reading.candidate:
        return True
    if not reading.pending or reading.oldest_pending_ms is None:
        return False
    interval_ms = round(rules.block_interval_s * 1000)
    is_young = is_ahead(reading.oldest_pending_ms + interval_ms, reading.now_ms, interval_ms)
    return (
        reading.pending >= rules.block_transactions
        or reading.pending_bytes >= rules.block_bytes
        or not is_young
    )


def calculate_blocks(reading: Reading, rules: Rules) -> int:
    """How many blocks take the whole queue: one for each request, more for many transactions."""
    for_transactions = max(
        math.ceil(reading.pending / rules.block_transactions),
        math.ceil(reading.pending_bytes / rules.block_bytes),
    )
    return max(reading.mine_requests, for_transactions)


def calculate_hashes(reading: Reading, rules: Rules) -> int:
    """How many hashes the whole queue costs on average."""
    return calculate_blocks(reading, rules) << rules.bits


def calculate_block_rate(reading: Reading) -> float:
    """Blocks a second, by the last few up to now; 0 while there are none."""
    times = reading.timestamps
    if len(times) <= 1:
        return 0.0
    return (len(times) - 1) * 1000 / max(reading.now_ms - times[0], 1)


def estimate_rate(reading: Reading) -> int:
    """Hashes a second of the whole fleet when all of it mines, by the last measurement."""
    return max(reading.live_rate, reading.miner_rate * reading.fleet)


def estimate_drain_s(reading: Reading, rules: Rules) -> float | None:
    """How long the whole queue takes, in seconds; None while no rate is known."""
    hashes = calculate_hashes(reading, rules)
    if not hashes:
        return 0.0
    rate = estimate_rate(reading)
    return reading.rest_ms / 1000 + hashes / rate if rate else None


def warn_of_tip(reading: Reading) -> str | None:
    """What to do about a tip of the future, in words that stay the same while it is the tip."""
    if not reading.is_of_the_future:
        return None
    refused = f"other nodes refuse it until {_write_time(reading.tip.timestamp - MAX_AHEAD_MS)}"
    if reading.rest_ms:
        refused += f" and no block can follow it before {_write_time(reading.earliest_ms)}"
    return (
        f"The tip is dated {_write_time(reading.tip.timestamp)}, over two hours ahead of the "
        f"server's clock: {refused}. Check the server's clock; mining goes on by itself."
    )


def _write_time(moment_ms: int) -> str:
    seconds = moment_ms // 1000
    if seconds > _LAST_DATE_S:
        return f"{moment_ms} ms"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"
