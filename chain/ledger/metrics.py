"""What is counted: moved by the scripts with the facts, so exact over processes and restarts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from minequeue.chain.ledger.fleet import LEASE_MS
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient
from minequeue.chain.moment import is_ahead

BUCKETS = 21  # of a histogram: up to 1, 2, 4 ... 2^20 ms (17 minutes); what is more has none


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long something took.

    Attributes:
        counts: how many took up to 2^N ms and more than half of it, by N from 0 to 20.
        count: how many in all.
        sum_ms: together.
    """

    counts: tuple[int, ...]
    count: int
    sum_ms: int


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the server says of itself.

    Attributes:
        log_is_written: whether it could write its log the last time.
        memory: bytes that it uses.
        memory_limit: bytes that it may use; 0 where it may use all that there are.
    """

    log_is_written: bool
    memory: int
    memory_limit: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """Everything that is counted.

    Attributes:
        counters: by their names, as the scripts write them.
        histograms: by their names: waited, mined, and resolved_kept, _replaced and _failed.
        refusals: how many requests were refused, by the problem's name.
        rates: the hashes a second of each worker's miners at work, by the worker's name.
        server: what the server says of itself; None where it does not.
    """

    counters: Mapping[str, int]
    histograms: Mapping[str, Histogram]
    refusals: Mapping[str, int]
    rates: Mapping[str, int]
    server: ServerState | None


class MetricsReader:
    """Reads what is counted, and counts refusals."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys

    def read(self) -> Metrics:
        """Read it all, as nearly at one moment as one round trip is."""
        keys = self._keys

        def read(client: Any) -> Any:
            # no transaction: Redis 7 refuses one where its memory has run out
            with client.pipeline(transaction=False) as pipe:
                for key in (keys.counters, keys.histograms, keys.refusals, keys.rates):
                    pipe.hgetall(key)
                pipe.time()
                pipe.zrange(keys.miners, 0, -1, withscores=True)
                return pipe.execute()

        counters, histograms, refusals, rates, now, miners = self._redis.run(read)
        now_ms = now[0] * 1000 + now[1] // 1000
        by_worker: dict[str, int] = {}
        for lease, until in miners:
            worker = lease.decode().partition("|")[0]
            if worker and is_ahead(until, now_ms, LEASE_MS):
                by_worker[worker] = by_worker.get(worker, 0) + int(rates.get(lease, 0))
        return Metrics(
            counters=_numbers(counters),
            histograms=_read_histograms(_numbers(histograms)),
            refusals=_numbers(refusals),
            rates=by_worker,
            server=self._read_server(),
        )

    def count(self) -> dict[str, int]:
        """The counters alone, by their names."""
        raw: Any = self._redis.run(lambda client: client.hgetall(self._keys.counters))
        return _numbers(raw)

    def _read_server(self) -> ServerState | None:
        def read(client: Any) -> Any:
            try:
                return client.info("everything")
            except redis.ResponseError:
                return None  # some managed servers tell nobody

        info = self._redis.run(read)
        return info and ServerState(
            log_is_written=info.get("aof_last_write_status") == "ok",
            memory=int(info.get("used_memory", 0)),
            memory_limit=int(info.get("maxmemory", 0)),
        )

    def count_refusals(self, counts: Mapping[str, int]) -> None:
        """Add to the refusals, by the problem's name."""

        def add(client: Any) -> None:
            with client.pipeline(transaction=True) as pipe:
                for name, count in counts.items():
                    pipe.hincrby(self._keys.refusals, name, count)
                pipe.execute()

        self._redis.run(add)


def _numbers(raw: Mapping[bytes, bytes]) -> dict[str, int]:
    return {name.decode(): int(value) for name, value in raw.items()}


def _read_histograms(fields: Mapping[str, int]) -> dict[str, Histogram]:
    names = {name for name in fields if ":" not in name}
    return {name: _read_histogram(name, fields) for name in names}


def _read_histogram(name: str, fields: Mapping[str, int]) -> Histogram:
    count = sum(value for field, value in fields.items() if field.startswith(f"{name}:"))
    counts = tuple(fields.get(f"{name}:{bucket}", 0) for bucket in range(BUCKETS))
    return Histogram(counts, count, fields[name])
