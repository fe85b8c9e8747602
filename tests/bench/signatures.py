"""What signatures cost: verified by one thread and by two, and through POST /chain/new."""

import tempfile
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

from minequeue.chain.errors import MinequeueError
from minequeue.chain.protocol import canonical, signature
from minequeue.chain.protocol.signature import SecretKey
from minequeue.chain.protocol.transaction import sign_submission
from tests.bench.report import Figure, Report
from tests.bench.submit import BODY, RECIPIENT, SUBMIT
from tests.bench.web_tier import WebTier, serve_yardsticks
from tests.bench.wrk import CONNECTIONS, Load, run_wrk

ROUNDS = 5
RUN_S = 4
MAX_SUBMISSIONS = 10_000  # submissions a second that are signed beforehand
BATCH, BATCHES = 1_000, 10
MAX_BATCH = 10_000  # entries of the largest batch that a setting allows
VERIFICATIONS = 10_000
KEY = SecretKey(bytes(range(32)))
_numbers = count()


def measure() -> Report:
    """Measure the library, then single submissions and batches, plain and signed."""
    alone, together = _measure_threads()
    with tempfile.TemporaryDirectory() as scratch, serve_yardsticks() as tier:
        plain, signed = _measure_singles(tier, Path(scratch))
        batches = {kind: _measure_batches(tier, kind) for kind in (_make_plain, make_signed)}
        largest_s = [_post(tier, _make_batch(make_signed, MAX_BATCH)) for _ in range(ROUNDS)]
        quiet_ms, beside_ms = _measure_neighbour(tier)
    return Report(
        "signatures",
        [
            Figure("verified by one thread", alone, "signatures/s"),
            Figure("verified by two threads", together, "signatures/s"),
            Figure("two over one", together / alone, "x", at_least=1.5),
            Figure("POST /chain/new, plain", _find_rate(plain), "requests/s"),
            Figure("POST /chain/new, signed", _find_rate(signed), "requests/s"),
            Figure("signed of plain", _find_rate(signed) / _find_rate(plain), "x"),
            Figure("p99, plain", median(load.p99_ms for load in plain), "ms"),
            Figure("p99, signed", median(load.p99_ms for load in signed), "ms"),
            Figure(f"batches of {BATCH:,}, plain", batches[_make_plain], "transactions/s"),
            Figure(f"batches of {BATCH:,}, signed", batches[make_signed], "transactions/s"),
            Figure(f"{MAX_BATCH:,} verified by one thread", MAX_BATCH / alone, "s", at_most=1),
            Figure(f"a batch of {MAX_BATCH:,} signed, answered", median(largest_s), "s"),
            Figure("p99 of a plain one, with nothing beside it", quiet_ms, "ms"),
            Figure("p99 of a plain one, beside such batches", beside_ms, "ms"),
        ],
        [
            f"Single ones: medians of {ROUNDS} runs of {RUN_S} s in turn, wrk with {CONNECTIONS} "
            "connections; each signed body is another, and plain ones take the fast path.",
            "Batches go over one connection, one after the other, as NDJSON.",
            "Two threads are faster than one only as far as the library verifies without the "
            "interpreter lock.",
        ],
    )


def make_signed() -> bytes:
    """A transaction that no other call gives, signed."""
    fields = {"recipient": RECIPIENT, "amount": next(_numbers)}
    return sign_submission(fields, KEY, lambda: "n")


def _make_plain() -> bytes:
    fields = {"sender": KEY.address, "recipient": RECIPIENT, "amount": next(_numbers)}
    return canonical.encode({**fields, "nonce": "plain"})


def _measure_threads() -> tuple[float, float]:
    """Signatures a second by one thread and by two, medians of rounds in turn."""
    message = canonical.encode({"amount": 5, "nonce": "n" * 32, "recipient": RECIPIENT})
    written = KEY.sign(message)

    def verify() -> None:
        for _ in range(VERIFICATIONS):
            assert signature.is_valid(written, message, public_key=KEY.address)

    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for threads, found in rates.items():
            found.append(threads * VERIFICATIONS / _time_threads(verify, threads))
    return median(rates[1]), median(rates[2])


def _time_threads(work: Callable[[], None], number: int) -> float:
    threads = [threading.Thread(target=work) for _ in range(number)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def _measure_singles(tier: WebTier, scratch: Path) -> tuple[list[Load], list[Load]]:
    plain: list[Load] = []
    signed: list[Load] = []
    for number in range(ROUNDS + 1):
        seconds = RUN_S if number else 1
        bodies = scratch / "bodies"
        bodies.write_bytes(b"\n".join(make_signed() for _ in range(MAX_SUBMISSIONS * seconds)))
        found = (_submit(tier, seconds, BODY), _submit(tier, seconds, bodies))
        if number:  # the first round warms up
            plain.append(found[0])
            signed.append(found[1])
    return plain, signed


def _submit(tier: WebTier, seconds: int, body: str | Path) -> Load:
    before = tier.count_pending()
    load = run_wrk(tier.url + SUBMIT, seconds, body)
    kept = tier.count_pending() - before
    # of what was under way when wrk stopped, here and in the run before, no answers were counted
    if not load.answered <= kept <= load.answered + 2 * CONNECTIONS:
        raise MinequeueError(f"{load.answered} submissions were answered and {kept} kept.")
    return load


def _measure_batches(tier: WebTier, make: Callable[[], bytes]) -> float:
    """Transactions a second."""
    rates = [BATCH / _post(tier, _make_batch(make, BATCH)) for _ in range(BATCHES + 1)]
    return median(rates[1:])


def _find_rate(loads: list[Load]) -> float:
    return median(load.rate for load in loads)


def _make_batch(make: Callable[[], bytes], size: int) -> bytes:
    return b"\n".join(make() for _ in range(size))


def _post(tier: WebTier, lines: bytes) -> float:
    """How long the answer to the batch takes, which must accept all of it."""
    connection = HTTPConnection(urlsplit(tier.url).netloc)
    began = time.perf_counter()
    connection.request("POST", SUBMIT, lines, {"Content-Type": "application/x-ndjson"})
    answer = connection.getresponse()
    said = answer.read()
    took = time.perf_counter() - began
    connection.close()
    if answer.status != 202 or said.count(b'"pending"') != lines.count(b"\n") + 1:
        raise MinequeueError(f"A batch was not accepted as a whole: {said[:200]!r}")
    return took


def _measure_neighbour(tier: WebTier) -> tuple[float, float]:
    """The p99 of plain submissions one after the other, alone and beside large signed batches."""
    quiet = _time_plain(tier, lambda took: len(took) == 1000)
    batches = [_make_batch(make_signed, MAX_BATCH) for _ in range(ROUNDS)]
    sender = threading.Thread(target=lambda: [_post(tier, batch) for batch in batches])
    sender.start()
    beside = _time_plain(tier, lambda _: not sender.is_alive())
    sender.join()
    return quiet, beside


def _time_plain(tier: WebTier, is_done: Callable[[list[float]], bool]) -> float:
    connection, took = HTTPConnection(urlsplit(tier.url).netloc), list[float]()
    while not is_done(took):
        began = time.perf_counter()
        connection.request("POST", SUBMIT, BODY, {"Content-Type": "application/json"})
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    return 1000 * quantiles(took, n=100)[98]
