"""How much work the queue holds: pure arithmetic on a reading."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from chain.header import Header
from chain.rules import Rules


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
        peaks: how many miners were needed lately, as :mod:`chain.scaling` remembers it.
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
    if reading.mine_requests or reading.candidate:
        return True
    if not reading.pending or reading.oldest_pending_ms is None:
        return False
    return (
        reading.pending >= rules.block_transactions
        or reading.pending_bytes >= rules.block_bytes
        or reading.now_ms - reading.oldest_pending_ms >= rules.block_interval_s * 1000
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


def estimate_rate(reading: Reading) -> int:
    """Hashes a second of the whole fleet when all of it mines, by the last measurement."""
    return max(reading.live_rate, reading.miner_rate * reading.fleet)


def estimate_drain_s(reading: Reading, rules: Rules) -> float | None:
    """How long the whole queue takes, in seconds; None while no rate is known."""
    hashes = calculate_hashes(reading, rules)
    if not hashes:
        return 0.0
    rate = estimate_rate(reading)
    return hashes / rate if rate else None
