"""Latencies of two stacks, measured in turn: one request here, one there.

Whatever else the machine does meets both alike. One request is under way at a time, so what is
measured is the service and not the queue for two processors.
"""

import json
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.bench.scale_fill import make_transaction

ROUNDS = 15
REQUESTS = 1000  # of each kind to each stack in a round


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; the status that it must get."""

    method: str
    path: str
    status: int
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Latencies in milliseconds: the medians of all rounds.

    Attributes:
        base_p50, base_p99: of the stack to compare with.
        p50, p99: of the other one.
    """

    base_p50: float
    base_p99: float
    p50: float
    p99: float

    @property
    def ratio(self) -> float:
        """How many times the base's p99."""
        return self.p99 / self.base_p99


class Client:
    """One kept connection to a stack."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = HTTPConnection(str(address.hostname), address.port, timeout=30)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def time_ms(self, request: Request) -> float:
        """Send ``request`` and read its answer; how long that took."""
        headers = {"Content-Type": "application/json"} if request.body else {}
        began = time.perf_counter()
        self._connection.request(request.method, request.path, request.body, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took_ms = (time.perf_counter() - began) * 1000
        assert answer.status == request.status, body
        return took_ms


def post_request() -> Request:
    """A submission of one new transaction."""
    return Request("POST", "/chain/new", 202, json.dumps(make_transaction()).encode())


def get_request(path: str) -> Request:
    """A read that must succeed."""
    return Request("GET", path, 200)


def compare(
    base_url: str,
    other_url: str,
    next_base: Callable[[], Request],
    next_other: Callable[[], Request],
) -> Comparison:
    """Measure both in turn, round by round, each over connections of its own."""
    rounds = []
    for _ in range(ROUNDS):
        # a connection stays with one web process; new ones reach others
        here = _Measured(Client(base_url), next_base)
        there = _Measured(Client(other_url), next_other)
        for _ in range(REQUESTS // 2):
            # who comes second finds caches that the first has filled, so they take turns in that
            for measured in (here, there, there, here):
                measured.ask()
        rounds.append(here.summarise() + there.summarise())
    return Comparison(*(statistics.median(column) for column in zip(*rounds, strict=True)))


class _Measured:
    """One client and what it has measured."""

    def __init__(self, client: Client, next_request: Callable[[], Request]) -> None:
        self._client = client
        self._next_request = next_request
        self._latencies: list[float] = []

    def ask(self) -> None:
        self._latencies.append(self._client.time_ms(self._next_request()))

    def summarise(self) -> tuple[float, float]:
        self._client.close()
        return statistics.median(self._latencies), _p99(self._latencies)


def measure_p99(client: Client, next_request: Callable[[], Request], count: int) -> float:
    """The p99 of ``count`` requests, one at a time, in milliseconds."""
    return _p99([client.time_ms(next_request()) for _ in range(count)])


def _p99(latencies: Sequence[float]) -> float:
    return statistics.quantiles(latencies, n=100)[98]
