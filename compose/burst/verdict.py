"""What became of a burst: the client's own record beside the chain, as Jepsen's total-queue does.

Leaves out whether the chain is valid; that is ``minequeue check``'s.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minequeue.chain.protocol.transaction import REWARD_SENDER
from minequeue.compose.burst.record import Kind, Record

PERCENTILES = (50, 90, 99, 100)
_NAMED = 10  # ids of each fault that the verdict names


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was sent, beside what is in the chain.

    Attributes:
        accepted: transactions with a receipt.
        refused: answers by their status where it was no success; 0 is no answer.
        mined: accepted and in the chain.
        lost: accepted and not in the chain.
        doubled: in the chain more than once.
        unexpected: in the chain, neither accepted nor unknown. Somebody else's, unless the
            client was the only one.
        recovered: the answer never came, and it is in the chain.
        jobs: mine requests with a receipt.
        jobs_lost: of those, how many have no block of their own.
        latency: seconds until an answer by kind and percentile.
        named: up to ten ids of each kind of fault.
    """

    accepted: int
    refused: dict[int, int]
    mined: int
    lost: int
    doubled: int
    unexpected: int
    recovered: int
    jobs: int
    jobs_lost: int
    latency: dict[Kind, dict[int, float]]
    named: dict[str, list[str]]

    @property
    def named_faults(self) -> dict[str, list[str]]:
        """What is named and a fault, whoever else writes into the chain."""
        return {fault: names for fault, names in self.named.items() if fault != "unexpected"}

    @property
    def is_kept(self) -> bool:
        """Whether all that was accepted is in the chain, and nothing stands there twice."""
        return not (self.lost or self.doubled or self.jobs_lost)


def judge(
    record: Record,
    blocks: Iterable[Mapping[str, Any]],
    jobs_done: Mapping[str, int] | None = None,
) -> Verdict:
    """Look for everything in ``record`` in ``blocks``.

    Args:
        record: what the client saw.
        blocks: as GET /chain gives them; read once, in any order.
        jobs_done: the index of each finished job's block; None where jobs are not followed.
    """
    times = Counter(
        transaction["id"]
        for block in blocks
        for transaction in block["transactions"]
        if transaction["sender"] != REWARD_SENDER
    )
    unknown = set(record.unknown.values()) - record.receipts.keys()
    faults = {
        "lost": [name for name in record.receipts if name not in times],
        "doubled": [name for name, count in times.items() if count > 1],
        "unexpected": [
            name for name in times if name not in record.receipts and name not in unknown
        ],
        "jobs_lost": [] if jobs_done is None else _find_lost_jobs(record, jobs_done),
    }
    return Verdict(
        accepted=len(record.receipts),
        refused=dict(
            sorted(Counter(a.status for a in record.answers if not a.is_accepted).items())
        ),
        mined=len(record.receipts) - len(faults["lost"]),
        lost=len(faults["lost"]),
        doubled=len(faults["doubled"]),
        unexpected=len(faults["unexpected"]),
        recovered=sum(name in times for name in unknown),
        jobs=len(record.jobs),
        jobs_lost=len(faults["jobs_lost"]),
        latency=measure_latency(record),
        named={fault: names[:_NAMED] for fault, names in faults.items() if names},
    )


def measure_latency(record: Record) -> dict[Kind, dict[int, float]]:
    """Seconds until an answer, of those that came, by kind and percentile (nearest rank)."""
    took: dict[Kind, list[float]] = {}
    for answer in record.answers:
        if answer.status:
            took.setdefault(answer.kind, []).append(answer.took_s)
    return {kind: find_percentiles(values) for kind, values in sorted(took.items())}


def find_percentiles(values: Iterable[float]) -> dict[int, float]:
    """The ``PERCENTILES`` of ``values``, of which there is at least one, by nearest rank."""
    ordered = sorted(values)
    return {share: ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in PERCENTILES}


def _find_lost_jobs(record: Record, jobs_done: Mapping[str, int]) -> list[str]:
    """The jobs without a block, or with one that an earlier job has already."""
    taken: set[int] = set()
    lost = []
    for job in record.jobs:
        index = jobs_done.get(job)
        if index is None or index in taken:
            lost.append(job)
        else:
            taken.add(index)
    return lost
