"""Queue, miners and policy, step by step: arithmetic and a seeded chance, no input or output.

The policy and the queue's arithmetic are chain/scaling/ itself, asked as the product asks it. What
is assumed of the rest stands in :class:`World`. Requests come evenly; times of blocks are
exponential.
"""

import math
from collections import deque
from dataclasses import dataclass
from random import Random

from minequeue.chain.protocol.header import genesis
from minequeue.chain.protocol.validation import MEDIAN_SPAN
from minequeue.chain.scaling.backlog import OpenCandidate, Reading, is_block_due
from minequeue.chain.scaling.policy import Decision, decide
from tests.simulation.fleet import Fleet
from tests.simulation.line import Line
from tests.simulation.search import calculate_time, calculate_work
from tests.simulation.shapes import Shape
from tests.simulation.world import World

STEP_S = 0.1
LOOK_S = 1.0  # how often the pool follows the policy, as in workers/runtime/autoscaler.py
_STEPS_A_LOOK = round(LOOK_S / STEP_S)
_JOB = "0" * 32


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment.

    Attributes:
        at_s: when, in seconds from the start.
        load: requests that came since the last sample.
        depth: what waits.
        oldest_age_s: how long the oldest has waited, in seconds.
        need: miners that have something to do.
        wanted: miners that there should be.
        size: miners that there are, those that start included.
        running: miners that can work.
    """

    at_s: float
    load: int
    depth: int
    oldest_age_s: float
    need: int
    wanted: int
    size: int
    running: int


class Model:
    """A world in motion.

    Attributes:
        arrived: requests that came.
        refused: those that found the queue full.
        mined: those that are in blocks, or made one.
        blocks: how many blocks were connected.
    """

    def __init__(self, world: World, shape: Shape) -> None:
        self.arrived = self.refused = self.mined = self.blocks = 0
        self.pending, self.jobs = Line(), Line()
        self.fleet = Fleet(world.policy.least, world.start_delay_s)
        self._world = world
        self._shape = shape
        self._random = Random(world.seed)  # a simulation  # nosec B311
        self._genesis = genesis(world.rules.network)
        self._steps = 0
        self._candidate: OpenCandidate | None = None
        self._since_s = 0.0  # how long the candidate has been searched
        self._work = 0.0  # miner-seconds to its nonce
        self._busy_s = 0.0  # how long connecting the last block goes on
        self._miners = 0
        self._rate = 0  # as a miner last measured it
        self._peaks = ""
        self._connected_ms: deque[int] = deque([0], maxlen=MEDIAN_SPAN)
        self._owed = 0.0, 0.0  # parts of transactions and of mine requests that have not come yet

    @property
    def now_s(self) -> float:
        """Seconds from the start."""
        return self._steps * STEP_S

    @property
    def depth(self) -> int:
        """What waits."""
        return self.pending.count + self.jobs.count

    def step(self) -> Sample:
        """Go on by :data:`STEP_S`."""
        load = self._arrive()
        self.fleet.advance(self.now_s)
        decision = self._decide()
        if self._steps % _STEPS_A_LOOK == 0:
            self.fleet.scale_to(decision.wanted, self.now_s)
            self.fleet.advance(self.now_s)
        self._miners = min(self.fleet.running, decision.need)
        self._mine()
        self._steps += 1
        return Sample(
            at_s=self.now_s,
            load=load,
            depth=self.depth,
            oldest_age_s=self._read().oldest_age_s,
            need=decision.need,
            wanted=decision.wanted,
            size=self.fleet.size,
            running=self.fleet.running,
        )

    def _arrive(self) -> int:
        world = self._world
        rate = world.requests_per_minute / 60 * self._shape.share(self.now_s / world.load_s)
        transactions = self._owed[0] + rate * (1 - world.mine_share) * STEP_S
        requests = self._owed[1] + rate * world.mine_share * STEP_S
        self._owed = transactions % 1, requests % 1
        bounds = world.bounds
        room = min(bounds.pending, bounds.pending_bytes // world.entry_bytes)
        self._enter(self.pending, int(transactions), room)
        self._enter(self.jobs, int(requests), bounds.pending)
        return int(transactions) + int(requests)

    def _enter(self, line: Line, count: int, room: int) -> None:
        fits = max(0, min(count, room - line.count))
        line.add(fits, self._now_ms)
        self.arrived += count
        self.refused += count - fits

    def _decide(self) -> Decision:
        decision = decide(self._read(), self._world.rules, self._world.policy)
        self._peaks = decision.peaks
        return decision

    @property
    def _now_ms(self) -> int:
        return round(self.now_s * 1000)

    def _read(self) -> Reading:
        pending, jobs = self.pending, self.jobs
        return Reading(
            now_ms=self._now_ms,
            pending=pending.count,
            pending_bytes=pending.count * self._world.entry_bytes,
            oldest_pending_ms=pending.oldest_ms,
            mine_requests=jobs.count,
            oldest_job=_JOB if jobs.count else None,
            oldest_job_ms=jobs.oldest_ms,
            tip=self._genesis,
            tip_work=1,
            candidate=self._candidate,
            miners=self._miners,
            fleet=self.fleet.running,
            live_rate=self._rate * self._miners,
            miner_rate=self._rate,
            kernels={},
            peaks=self._peaks,
            block_cost_s=self._world.block_cost_s,
            timestamps=tuple(self._connected_ms),
        )

    def _mine(self) -> None:
        """What the miners do in one step: it may end in the middle of a block."""
        if not self._miners:
            return
        world = self._world
        noise = math.exp(self._random.gauss(0, world.rate_noise))
        self._rate = max(1, round(world.hash_rate * noise))
        left_s = STEP_S
        while True:
            waits_s = min(left_s, self._busy_s)
            self._busy_s -= waits_s
            left_s -= waits_s
            if left_s <= 0 or not (self._candidate or self._open()):
                return
            done = calculate_work(self._since_s, self._miners, world.range_s)
            found_s = calculate_time(done + self._work, self._miners, world.range_s)
            searches_s = found_s - self._since_s
            if searches_s > left_s:
                self._since_s += left_s
                self._work -= calculate_work(self._since_s, self._miners, world.range_s) - done
                return
            left_s -= searches_s
            self._connect()

    def _open(self) -> bool:
        if not is_block_due(self._read(), self._world.rules):
            return False
        rules = self._world.rules
        fits = max(1, rules.block_bytes // self._world.entry_bytes)
        count = min(self.pending.count, rules.block_transactions, fits)
        self._candidate = OpenCandidate(b"", count, _JOB if self.jobs.count else "", b"")
        self._since_s = 0.0
        self._work = self._random.expovariate(1) * 2**rules.bits / self._world.hash_rate
        return True

    def _connect(self) -> None:
        candidate = self._candidate
        assert candidate is not None  # its only caller has one  # nosec B101
        self.pending.take(candidate.count)
        self.jobs.take(bool(candidate.job))
        self.mined += candidate.count + bool(candidate.job)
        self.blocks += 1
        self._candidate = None
        self._connected_ms.append(self._now_ms)
        self._busy_s = self._world.block_cost_s
