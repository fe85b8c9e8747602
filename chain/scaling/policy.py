"""How many miners there should be: one policy for local pools, outside scalers and simulators.

Scaling out happens at once. Scaling in waits until clearly fewer have been needed for a quiet time,
so that a pause between two bursts does not stop the miners that the second one needs, and a steady
load does not stop and start them. docs/scaling-policy.md shows it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from minequeue.chain.moment import is_ahead
from minequeue.chain.protocol.rules import Rules
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.backlog import Reading

_REFRESH = 10  # a peak is renewed when a tenth of its time is over, not at every look
_AIM = 0.8  # of the target: speeds stray, and miners take time to start
_SERIAL_SHARE = 3  # miners may make the search as short as a third of a block's other cost
_NEAR = 0.8  # from this share of a peak on, a need counts as the peak: queues and speeds fluctuate


@dataclass(frozen=True, slots=True)
class Policy:
    """How quickly the queue should be emptied, and with how much.

    Attributes:
        least: the fewest miners, 0 or more.
        most: the most miners.
        target_drain_s: how long emptying the queue should take, in seconds.
        quiet_s: for how long less must have been needed before miners are let go, in seconds.
    """

    least: int
    most: int
    target_drain_s: float
    quiet_s: float


@dataclass(frozen=True, slots=True)
class Peaks:
    """What was needed lately: for each size the moment until which it is held.

    Attributes:
        held: pairs of (until, Unix milliseconds; miners), the largest first; a smaller one is held
            longer than all larger ones, or it would never count. No two are near each other, so
            that few are held however many miners there are.
    """

    held: tuple[tuple[int, int], ...] = ()

    @property
    def size(self) -> int:
        """The largest that is held."""
        return self.held[0][1] if self.held else 0

    def after(self, need: int, now_ms: int, quiet_ms: int) -> "Peaks":
        """The peaks once ``need`` was seen at ``now_ms``."""
        live = tuple(peak for peak in self.held if is_ahead(peak[0], now_ms, quiet_ms))
        need = next((size for _, size in reversed(live) if need <= size <= need / _NEAR), need)
        until = now_ms + quiet_ms
        if not need or (live and live[-1][1] == need and until - live[-1][0] < quiet_ms / _REFRESH):
            return Peaks(live)
        return Peaks((*(peak for peak in live if peak[1] > need), (until, need)))

    def pack(self) -> str:
        """The peaks as a short text."""
        return ",".join(f"{until}:{size}" for until, size in self.held)

    @classmethod
    def unpack(cls, text: str) -> "Peaks":
        """Read what :meth:`pack` wrote."""
        pairs: Iterable[list[str]] = (pair.split(":") for pair in text.split(",") if pair)
        return cls(tuple((int(until), int(size)) for until, size in pairs))


def calculate_need(reading: Reading, rules: Rules, policy: Policy) -> int:
    """How many miners the queue deserves at this moment, at most ``policy.most``.

    None where no block is due, else one, and as many as empty the queue in the target time; while a
    miner's speed is not known, no more than there are blocks to be made. A block also costs what no
    miner can shorten (Amdahl): never more are needed than until that is most of it.
    """
    if not backlog.is_block_due(reading, rules):
        return 0
    if not reading.miner_rate:
        return max(1, min(policy.most, backlog.calculate_blocks(reading, rules)))
    search_s = (1 << rules.bits) / reading.miner_rate
    blocks = max(backlog.calculate_blocks(reading, rules), 1)
    left_s = _AIM * policy.target_drain_s / blocks - reading.block_cost_s  # for the search of one
    useful = _SERIAL_SHARE * search_s / reading.block_cost_s if reading.block_cost_s else math.inf
    for_queue = search_s / left_s if left_s > 0 else math.inf
    # all that are kept work, so the queue is short: those who keep it so are needed as well
    for_load = min(search_s * backlog.calculate_block_rate(reading), reading.miners)
    needed = min(max(for_queue, for_load), useful, policy.most)
    return max(1, math.ceil(needed))


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of one reading.

    Attributes:
        need: how many miners have something to do now: all that are kept while a block is due.
        wanted: how many there should be; so many are kept.
        peaks: what to remember until the next reading.
    """

    need: int
    wanted: int
    peaks: str


def decide(reading: Reading, rules: Rules, policy: Policy) -> Decision:
    """Decide how many miners there should be, from the queue and from what was needed lately."""
    need = calculate_need(reading, rules, policy)
    peaks = Peaks.unpack(reading.peaks).after(need, reading.now_ms, round(policy.quiet_s * 1000))
    wanted = max(policy.least, min(policy.most, peaks.size))
    return Decision(wanted if need else 0, wanted, peaks.pack())
