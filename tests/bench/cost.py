"""What a month costs on the stacks of compose/aws, from what a transaction takes here.

Memory and log of a transaction are measured; what it takes of the web tier's processor is from
docs/performance.md. Prices are those of us-east-1 in US dollars, without what is free at first.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minequeue.chain.ledger import Ledger, Submission, open_redis
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.protocol.transaction import Transaction, accept_submission
from minequeue.workers.mining.miner import Miner
from tests.bench.report import Figure, Report
from tests.bench.scale_fill import make_transaction
from tests.ledgers import make_ledger, request_mine
from tests.server import run_server

COUNT = 100_000
MONTHS = (10**6, 10**9)  # transactions
_TOGETHER = 15  # submissions that a call carries under load
_RULES = Rules("cost", 1, 3600, 5_000, 2 * 2**20)
_BOUNDS = Bounds(pending=10**7, pending_bytes=2**33)

_HOURS = 730
_VCPU, _GB = 0.04048, 0.004445  # an hour of Fargate, x86
_BALANCER, _CAPACITY_UNIT = 0.0225, 0.008  # an hour
_NAT = 0.045  # an hour, and for a GB
_NODE_GIB = 0.025  # an hour of MemoryDB for each GiB of a node: rounded, look it up for your region
_WRITTEN_GB = 0.20  # of MemoryDB

_WEB_S = 104e-6  # of a processor for a submission
_REQUEST_BYTES = 1_200  # of a submission and its answer, headers included
_PEAK = 10  # times the mean; the web tier has to bear it at half of its processors' time
_SMALLEST_NODE_GIB = 1.37  # db.t4g.small
_NODE_SHARE = 0.75  # of a node's memory that may hold data


def measure() -> Report:
    """Measure a transaction, and work out the months."""
    memory, written = _measure_transaction()
    figures = [
        Figure("the server's memory for a mined transaction", memory, "B"),
        Figure("what the server logs for it", written, "B"),
    ]
    for count in MONTHS:
        figures += _bill(count, memory, written)
    return Report(
        "cost",
        figures,
        [
            "Two web tasks at least, one for each zone; a resolver, Flower; a worker that always "
            "mines; NAT in two zones.",
            f"The web tier bears {_PEAK} times the mean at half of its processors' time.",
            "The node's price is rounded: put in your region's. Memory is that at the month's end, "
            "of a chain that began with the month; it stays, and grows by as much each month.",
        ],
    )


def _bill(count: int, memory: float, written: float) -> Iterator[Figure]:
    mean = count / (_HOURS * 3600)
    web = max(2, -(-_PEAK * mean * _WEB_S // 0.5))
    data_gib = count * memory / 2**30
    node_gib = max(_SMALLEST_NODE_GIB, data_gib / _NODE_SHARE)
    gigabytes_an_hour = mean * 3600 * _REQUEST_BYTES / 1e9
    lines = {
        f"web tier, {web:.0f} tasks of 1 vCPU and 2 GB": web * _task(1, 2),
        "one worker, 1 vCPU and 2 GB": _task(1, 2),
        "resolver and Flower, 0.25 vCPU and 0.5 GB": 2 * _task(0.25, 0.5),
        "load balancer": _HOURS * (_BALANCER + max(1, gigabytes_an_hour) * _CAPACITY_UNIT),
        "NAT gateways": 2 * _HOURS * _NAT,
        f"MemoryDB, a node of {node_gib:,.1f} GiB": _HOURS * node_gib * _NODE_GIB,
        "what it writes": count * written / 1e9 * _WRITTEN_GB,
    }
    yield Figure(f"{count:,} a month: a second", mean, "transactions")
    for name, dollars in lines.items():
        yield Figure(f"  {name}", dollars, "USD")
    total = sum(lines.values())
    yield Figure("  together", total, "USD")
    yield Figure("  for a million", total / count * 1e6, "USD")


def _task(vcpu: float, gigabytes: float) -> float:
    return _HOURS * (vcpu * _VCPU + gigabytes * _GB)


def _measure_transaction() -> tuple[float, float]:
    """Bytes of memory and of log that a mined transaction takes in a server that never rewrites."""
    with tempfile.TemporaryDirectory() as scratch, run_server(Path(scratch)) as url:
        ledger = make_ledger(open_redis(url, wait_s=60), _RULES, _BOUNDS)
        client: Any = ledger.redis.client
        client.config_set("auto-aof-rewrite-percentage", 0)
        before = client.info()
        for number in range(COUNT // _RULES.block_transactions):
            _fill_block(ledger, number)
        after = client.info()
    grown = {name: after[name] - before[name] for name in ("used_memory", "aof_current_size")}
    return grown["used_memory"] / COUNT, grown["aof_current_size"] / COUNT


def _fill_block(ledger: Ledger, block: int) -> None:
    some = [_make(block, number) for number in range(_RULES.block_transactions)]
    for start in range(0, len(some), _TOGETHER):
        together = some[start : start + _TOGETHER]
        ledger.mempool.submit([Submission([transaction]) for transaction in together])
    request_mine(ledger)
    while ledger.queue.read().depth:
        Miner(ledger, search_with_hashlib, "node").run()


def _make(block: int, number: int) -> Transaction:
    return accept_submission({**make_transaction(), "nonce": f"{block}.{number}"}, lambda: "")
