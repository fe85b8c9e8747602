"""Reading queue, tip, candidate and fleet at one moment, as one call."""

from collections import Counter
from typing import Any

from chain.backlog import OpenCandidate, Reading
from chain.ledger.connection import Connection
from chain.ledger.keys import Keys
from chain.ledger.record import Record

_JOB_DIGITS = 32


class Queue:
    """What waits, and who works on it."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    def read(self) -> Reading:
        """Read it all.

        Raises:
            LookupError: the ledger has no genesis block.
        """
        keys = self._keys
        answer: list[Any] = self._connection.script(
            "read_queue",
            [
                keys.pending,
                keys.mine_requests,
                keys.counters,
                keys.tip,
                keys.candidate,
                keys.miners,
                keys.workers,
                keys.sizes,
                keys.rates,
                keys.kernels,
            ],
            [],
        )
        now_ms, pending, size, oldest, requests, entry, record, *rest = answer
        prefix, count, job, reward, miners, fleet, live_rate, miner_rate, tools = rest
        if not record:
            raise LookupError("the ledger has no genesis block")
        tip = Record.unpack(record)
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
            kernels=_sum_by_name(tools),
        )


def _sum_by_name(tools: list[Any]) -> dict[str, int]:
    """Names and numbers, in turn, as the sum for each name."""
    sums: Counter[str] = Counter()
    for name, miners in zip(tools[::2], tools[1::2], strict=True):
        sums[name.decode()] += miners
    return dict(sums)
