"""GET /metrics: everything that is counted, in Prometheus' text form and units.

What counts comes from the ledger, where the scripts count with the facts; so every process of the
web tier says the same, and a restart loses nothing. An operator scrapes one of them.
"""

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from minequeue.chain.ledger import Metrics
from minequeue.chain.ledger.metrics import BUCKETS, Histogram
from minequeue.chain.protocol.rules import Rules
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.backlog import Reading
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.schemas import PeerState
from minequeue.web.services import services

blueprint = Blueprint("metrics", __name__)
# what prometheus_client writes by default, with its version
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"
_STATES: tuple[str, ...] = get_args(PeerState)
_EMPTY = Histogram((0,) * BUCKETS, 0, 0)
_RESULTS = ("kept", "replaced", "failed")


@blueprint.get("/metrics")
@describe(Reply(200, "The metrics.", {"type": "string"}, "text/plain"))
def read_metrics() -> Response:
    """Everything that is counted, for Prometheus."""
    ledger = services().ledger
    reading, decision = ledger.queue.look(services().policy)
    states = Counter(status.state for status in ledger.peers.list_all().values())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Collector(
            [
                *_describe_chain(reading, ledger.rules),
                *_describe_queue(reading, ledger.rules, decision.wanted),
                *_describe_counts(ledger.metrics.read()),
                _describe_peers(states),
            ]
        )
    )
    return Response(generate_latest(registry), content_type=CONTENT_TYPE)


class _Collector:
    """Gives families that were made beforehand."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """As the registry asks."""
        yield from self._families


def _describe_chain(reading: Reading, rules: Rules) -> Iterator[Metric]:
    yield _gauge("chain_height_blocks", "Index of the newest block.", reading.tip.index)
    yield _gauge("chain_work_hashes", "Cumulative work of the chain.", float(reading.tip_work))
    text = "Zero bits that a new block's hash has to begin with."
    yield _gauge("difficulty_exponent", text, rules.bits)


def _describe_queue(reading: Reading, rules: Rules, wanted: int) -> Iterator[Metric]:
    yield _gauge("pending_transactions", "Accepted, and in no block yet.", reading.pending)
    yield _gauge("pending_bytes", "Size of the pending transactions.", reading.pending_bytes)
    yield _gauge("pending_mine_requests", "Mine requests that wait.", reading.mine_requests)
    yield _gauge(
        "oldest_entry_age_seconds", "How long the oldest entry waits.", reading.oldest_age_s
    )
    yield _gauge(
        "backlog_hashes",
        "Hashes that the queue costs on average.",
        backlog.calculate_hashes(reading, rules),
    )
    drain_s = backlog.estimate_drain_s(reading, rules)
    yield _gauge(
        "estimated_drain_seconds",
        "Until the queue is empty at the present hash rate; NaN while none is known.",
        float("nan") if drain_s is None else drain_s,
    )
    yield _gauge("miners", "Miners that the live workers can run.", reading.fleet)
    yield _gauge("miners_busy", "Miners at work.", reading.miners)
    yield _gauge("miners_wanted", "Miners that the queue deserves.", wanted)


def _describe_counts(metrics: Metrics) -> Iterator[Metric]:
    counted = metrics.counters.get
    yield _counter(
        "transactions_accepted", "Transactions put on the queue here.", counted("accepted", 0)
    )
    yield _counter("transactions_mined", "Transactions mined here.", counted("mined", 0))
    yield _gauge(
        "contracts", "Transactions of the chain that have a contract.", counted("contracts", 0)
    )
    attempts = _counter("mining_attempts", "Candidates and finds, by what became of them.", None)
    attempts.add_metric(["connected"], counted("connected", 0))
    attempts.add_metric(["stale"], counted("stale_finds", 0))
    attempts.add_metric(["abandoned"], counted("abandoned", 0))
    yield attempts
    yield _counter("blocks_adopted", "Blocks taken over from peers.", counted("adopted", 0))
    yield _counter("blocks_stale", "Blocks that a heavier branch replaced.", counted("stale", 0))
    yield _counter(
        "reorganisations",
        "How often a heavier branch replaced blocks.",
        counted("reorganisations", 0),
    )
    refused = CounterMetricFamily(
        "minequeue_requests_refused", "Refusals by the problem's name.", labels=["reason"]
    )
    for reason, count in sorted(metrics.refusals.items()):
        refused.add_metric([reason], count)
    yield refused
    yield _histogram(
        "transaction_wait", "From a transaction's acceptance to its block.", metrics, "waited"
    )
    yield _histogram("block_mining", "From a candidate to its block.", metrics, "mined")
    yield _describe_resolving(metrics)
    rates = GaugeMetricFamily(
        "minequeue_hash_rate_hashes_per_second",
        "Hashes a second of a worker's miners at work.",
        labels=["worker"],
    )
    for worker, rate in sorted(metrics.rates.items()):
        rates.add_metric([worker], rate)
    yield rates
    if server := metrics.server:
        written = server.log_is_written
        yield _gauge("server_log_written", "Whether the server could write its log.", written)
        yield _gauge("server_memory_bytes", "Memory that the server uses.", server.memory)
        text = "Memory that the server may use; 0 where nothing bounds it."
        yield _gauge("server_memory_limit_bytes", text, server.memory_limit)


def _describe_resolving(metrics: Metrics) -> Metric:
    family = HistogramMetricFamily(
        "minequeue_resolve_duration_seconds",
        "Time to resolve conflicts with all peers, by outcome.",
        labels=["outcome"],
    )
    for outcome in _RESULTS:
        found = metrics.histograms.get(f"resolved_{outcome}", _EMPTY)
        family.add_metric([outcome], _buckets(found), found.sum_ms / 1000)
    return family


def _describe_peers(states: Counter[str]) -> Metric:
    family = GaugeMetricFamily("minequeue_peers", "Known nodes by state.", labels=["state"])
    for state in _STATES:
        family.add_metric([state], states[state])
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"minequeue_{name}", text, value=float(value))


def _counter(name: str, text: str, value: int | None) -> CounterMetricFamily:
    """A counter of one value, or where it is None one for outcomes."""
    labels = ["outcome"] if value is None else None
    return CounterMetricFamily(f"minequeue_{name}", text, value=value, labels=labels)


def _histogram(name: str, text: str, metrics: Metrics, key: str) -> Metric:
    found = metrics.histograms.get(key, _EMPTY)
    return HistogramMetricFamily(
        f"minequeue_{name}_duration_seconds",
        text,
        buckets=_buckets(found),
        sum_value=found.sum_ms / 1000,
    )


def _buckets(found: Histogram) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus has them."""
    buckets: list[tuple[str, float]] = []
    total = 0
    for power, count in enumerate(found.counts):
        total += count
        buckets.append((str(2**power / 1000), total))
    return [*buckets, ("+Inf", found.count)]
