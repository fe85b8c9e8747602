"""Reading queue, tip, candidate and fleet at one moment, as one call; and what that asks for."""

from collections import Counter
from typing import Any

from minequeue.chain.errors import LedgerLost
from minequeue.chain.ledger.fleet import HEARTBEAT_MS, LEASE_MS
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.mempool import ENTRY_HEAD
from minequeue.chain.ledger.record import Record
from minequeue.chain.ledger.redis_client import Call, RedisClient
from minequeue.chain.protocol.rules import Rules
from minequeue.chain.protocol.validation import MAX_AHEAD_MS, MEDIAN_SPAN, calculate_earliest
from minequeue.chain.scaling.backlog import OpenCandidate, Reading
from minequeue.chain.scaling.policy import Decision, Policy, decide

_JOB_DIGITS = 32


class Queue:
    """What waits, and who works on it."""

    def __init__(self, redis_client: RedisClient, keys: Keys, rules: Rules) -> None:
        self._redis = redis_client
        self._keys = keys
        self._rules = rules

    def look(self, policy: Policy) -> tuple[Reading, Decision]:
        """Read it all, and decide how many miners it deserves.

        What was needed is remembered in the ledger, so that all who look decide alike. Of two who
        look at once one may forget what the other saw, until the next look.
        """
        reading = self.read()
        if self._date_oldest(reading):
            reading = self.read()
        decision = decide(reading, self._rules, policy)
        if decision.peaks != reading.peaks:
            self._redis.script(self._keys, "remember_peaks", [decision.peaks])
        return reading, decision

    def read(self) -> Reading:
        """Read it all.

        Raises:
            LedgerLost: there is no genesis block.
        """
        return parse_reading(self._redis.script(self._keys, *read_call(following=0)))

    def _date_oldest(self, reading: Reading) -> bool:
        """Give an age to the oldest entries where they are of the future; tell whether one was."""
        moments = (reading.oldest_pending_ms or 0, reading.oldest_job_ms or 0)
        if max(moments) <= reading.now_ms:
            return False
        due_ms = round(self._rules.block_interval_s * 1000)
        dated: int = self._redis.script(self._keys, "date_oldest", [due_ms])
        return bool(dated)


def read_call(*, following: int) -> Call:
    """The call whose answer :func:`parse_reading` reads, to be sent alone or with others.

    Args:
        following: how many entries after the candidate's it may bring along.
    """
    return "read_queue", [LEASE_MS, HEARTBEAT_MS, following, MEDIAN_SPAN]


def parse_reading(answer: list[Any]) -> Reading:
    """Read the answer of read_queue.lua.

    Raises:
        LedgerLost: there is no genesis block.
    """
    now_ms, pending, size, oldest, requests, entry, record, *rest = answer
    prefix, count, job, reward, miners, fleet, live_rate, miner_rate, cost, *more = rest
    tools, peaks, is_unsettled, recent, followed, following = more
    if not record:
        raise LedgerLost
    tip = Record.unpack(record)
    timestamps = tuple(Record.unpack(raw).header.timestamp for raw in recent)
    is_ahead = tip.header.timestamp > now_ms + MAX_AHEAD_MS
    return Reading(
        now_ms=now_ms,
        pending=pending,
        pending_bytes=size,
        oldest_pending_ms=int(oldest) if oldest else None,
        mine_requests=requests,
        oldest_job=entry[:_JOB_DIGITS].decode() if entry else None,
        oldest_job_ms=int(entry[_JOB_DIGITS:]) if entry else None,
        tip=tip.header,
        tip_work=tip.cumulative_work,
        candidate=OpenCandidate(prefix, int(count), job.decode(), reward) if prefix else None,
        miners=miners,
        fleet=fleet,
        live_rate=live_rate,
        miner_rate=miner_rate,
        block_cost_s=cost / 1e6,
        kernels=_sum_by_name(tools),
        peaks=peaks.decode(),
        is_unsettled=bool(is_unsettled),
        timestamps=timestamps,
        earliest_ms=calculate_earliest(timestamps) if is_ahead else 0,
        tracked=followed,
        following=tuple(entry[ENTRY_HEAD:] for entry in following),
    )


def _sum_by_name(tools: list[Any]) -> dict[str, int]:
    """Names and numbers, in turn, as the sum for each name."""
    sums: Counter[str] = Counter()
    for name, miners in zip(tools[::2], tools[1::2], strict=True):
        sums[name.decode()] += miners
    return dict(sums)
