"""A million mined transactions on one stack: what they cost, and what they slow down.

The stack is one that `minequeue up` starts, filled through HTTP and mined by its own workers, at a
few bits of work, since the work is not what is measured. A second, empty one beside it is what
latencies are compared with.
"""

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.report import Figure, Report
from tests.bench.scale_fill import Filling, fill
from tests.bench.scale_latency import (
    REQUESTS,
    ROUNDS,
    Client,
    Comparison,
    Request,
    compare,
    get_request,
    measure_p99,
    post_request,
)
from tests.bench.scale_server import Server
from tests.bench.scale_stream import MIB, read_a_little, read_whole
from tests.stack import Stack

TRANSACTIONS = 1_000_000
_FEW = 100  # on the chain that counts as empty: there must be one to ask for
_BITS = "8"
_FEWER = 200  # of the costlier requests, for which no goal is set
_BLOCK = 5000  # transactions in a block, by default
_SETTINGS = {"bits": _BITS, "block_interval": "5", "max_pending": "10000000,8589934592"}
_NOTES = (
    "Latencies: one request at a time, in turn to the full and to the empty stack, so that what "
    f"else the machine does meets both; the medians of {ROUNDS} rounds of {REQUESTS}. A load that "
    "saturates the processors would measure their scheduler.",
    "Addresses are random, the worst case for compression. Memory is what the server gained by the "
    "transactions, INFO memory, mined and nothing pending.",
    "The web tier is restarted before each read of the chain: memory that the batches had left it "
    "would hide growth.",
)


def measure() -> Report:
    """Fill a stack and measure it beside an empty one."""
    with _two_stacks() as (empty, full):
        some = fill(empty, _FEW)
        server = Server(full)
        server.watch()
        before = server.memory()
        filling = fill(full, TRANSACTIONS)
        after = server.memory()
        figures = [
            Figure("submit and mine them", filling.took_s, "s"),
            *_memory_figures(before, after),
            *_latency_figures(empty, full, some, filling),
            *_stream_figures(full),
            *_check_figures(full),
            *_pause_figures(server),
            Figure("append-only file", server.file_bytes() / MIB, "MiB"),
            Figure("killed server answers again after", server.restart(), "s"),
        ]
    return Report("scale", figures, _NOTES)


@contextmanager
def _two_stacks() -> Iterator[tuple[Stack, Stack]]:
    with (
        tempfile.TemporaryDirectory(prefix="minequeue-scale-") as directory,
        ExitStack() as running,
    ):
        stacks = [Stack(Path(directory) / name, **_SETTINGS) for name in ("empty", "full")]
        for stack in stacks:
            running.callback(stack.stop)
            stack.start()
        yield stacks[0], stacks[1]


def _memory_figures(before: dict[str, int], after: dict[str, int]) -> Iterator[Figure]:
    def each(name: str) -> float:
        return (after[name] - before[name]) / TRANSACTIONS

    yield Figure("server memory for each", each("used_memory"), "B", at_most=250)
    yield Figure("  of its process (RSS)", each("used_memory_rss"), "B")


def _latency_figures(
    empty: Stack, full: Stack, some: Filling, filling: Filling
) -> Iterator[Figure]:
    posts = compare(empty.url, full.url, post_request, post_request)
    yield from _compared("POST /chain/new", posts)
    gets = compare(empty.url, full.url, _getter(some), _getter(filling))
    yield from _compared("GET /transactions/<id>", gets)
    client = Client(full.url)
    yield Figure(
        "GET /transactions/<id>/proof, p99",
        measure_p99(client, _getter(filling, "/proof"), _FEWER),
        "ms",
    )
    indexes = itertools.cycle(range(2, TRANSACTIONS // _BLOCK))
    yield Figure(
        "GET /chain/blocks/<index>, p99",
        measure_p99(client, lambda: get_request(f"/chain/blocks/{next(indexes)}"), _FEWER),
        "ms",
    )


def _getter(filling: Filling, more: str = "") -> Callable[[], Request]:
    ids = itertools.cycle(filling.ids)
    return lambda: get_request(f"/transactions/{next(ids)}{more}")


def _compared(name: str, found: Comparison) -> Iterator[Figure]:
    yield Figure(f"{name}, p99 to that of the empty chain", found.ratio, "x", at_most=1.2)
    yield Figure("  p99 on the empty chain", found.base_p99, "ms")
    yield Figure("  p99", found.p99, "ms")
    yield Figure("  median on the empty chain", found.base_p50, "ms")
    yield Figure("  median", found.p50, "ms")


def _stream_figures(full: Stack) -> Iterator[Figure]:
    whole = read_whole(full)
    yield Figure("GET /chain, growth of a web process", whole.grown / MIB, "MiB", at_most=50)
    yield Figure("  its size", whole.size / MIB, "MiB")
    yield Figure("  time", whole.took_s, "s")
    stalled = read_a_little(full)
    yield Figure("GET /chain that nobody reads on, growth", stalled.grown / MIB, "MiB", at_most=50)


def _check_figures(full: Stack) -> Iterator[Figure]:
    began = time.perf_counter()
    done = full.run("check", full.url, "--bits", _BITS)
    took_s = time.perf_counter() - began
    assert done.returncode == 0, done.stdout + done.stderr
    yield Figure("minequeue check, of each second", TRANSACTIONS / took_s, "tx", at_least=50_000)


def _pause_figures(server: Server) -> Iterator[Figure]:
    slowest = server.slowest()
    worst = max((slow.took_ms for slow in slowest), default=0.0)
    yield Figure("longest command of the server", worst, "ms", at_most=50)
    for slow in slowest:
        yield Figure(f"  {slow.name}, {slow.count} times over 10 ms", slow.took_ms, "ms")
    for event in ("fork", "aof-fsync-always"):
        yield Figure(f"longest {event}", server.worst_pause_ms(event), "ms")
