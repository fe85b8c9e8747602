"""How fast submissions are taken, on disk before each answer, beside what a bare route takes."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

from minequeue.chain.errors import MinequeueError
from tests.bench.report import Figure, Report
from tests.bench.web_tier import WebTier, serve_yardsticks
from tests.bench.wrk import CONNECTIONS, Load, run_wrk
from tests.bench.yardsticks import HELLO, TASK, TASK_QUEUE

ROUNDS = 5
RUN_S = 4
BATCH = 10_000  # entries
BATCH_S = 8  # for each kind of batch
SUBMIT = "/chain/new"
SENDER, RECIPIENT = "5e" * 20, "7b" * 20
BODY = json.dumps({"sender": SENDER, "recipient": RECIPIENT, "amount": 5})


def measure() -> Report:
    """Measure single submissions, a task for each request, and batches."""
    longest: list[int] = []
    fsyncs: list[int] = []
    # a ledger for each, so that none holds more than the default bound of pending transactions
    with _watched(longest, fsyncs) as tier:
        hello, submit, task = _measure_singles(tier)
    with _watched(longest, fsyncs) as tier:
        array = _measure_batches(tier, "application/json")
    with _watched(longest, fsyncs) as tier:
        ndjson = _measure_batches(tier, "application/x-ndjson")
    return Report(
        "submit",
        [
            Figure("bare route", _rate(hello), "requests/s"),
            Figure("one task for each request", _rate(task), "requests/s"),
            Figure("POST /chain/new", _rate(submit), "requests/s"),
            Figure("of the bare route", _rate(submit) / _rate(hello), "x", at_least=0.6),
            Figure("of one task for each", _rate(submit) / _rate(task), "x", at_least=5),
            Figure("p99 of the bare route", _p99_ms(hello), "ms"),
            Figure("p99 of one task for each", _p99_ms(task), "ms"),
            Figure("p99 of POST /chain/new", _p99_ms(submit), "ms"),
            Figure(f"arrays of {BATCH:,}", array, "transactions/s", at_least=50_000),
            Figure(f"NDJSON of {BATCH:,}", ndjson, "transactions/s", at_least=50_000),
            Figure("longest command of the server", max(longest), "ms", at_most=50),
            Figure("longest fsync", max(fsyncs), "ms"),
        ],
        [
            f"Each median is of {ROUNDS} runs of {RUN_S} s in turn, wrk with {CONNECTIONS} "
            "connections; batches go over one connection, one after the other.",
            "The server writes its log to disk before it answers (appendfsync always).",
            f"p99: {CONNECTIONS} connections always wait, so an answer takes {CONNECTIONS}/rate "
            "seconds on average. Above that, the bare route's p99 is threads taking turns at the "
            "interpreter; a submission's is the call that was under way when it came and the one "
            "that carried it, each with its fsync; a task's is both, with a call for each.",
            "A plain submission is answered before Flask is asked, the bare route by Flask.",
        ],
    )


@contextmanager
def _watched(longest: list[int], fsyncs: list[int]) -> Iterator[WebTier]:
    """A web tier; at its end, how long its server took at most for a command and for an fsync."""
    with serve_yardsticks() as tier:
        tier.forget_latency()
        yield tier
        longest.append(max(map(tier.longest_ms, ("command", "fast-command"))))
        fsyncs.append(tier.longest_ms("aof-fsync-always"))


def _measure_singles(tier: WebTier) -> tuple[list[Load], list[Load], list[Load]]:
    hello: list[Load] = []
    submit: list[Load] = []
    task: list[Load] = []
    for number in range(ROUNDS + 1):
        seconds = RUN_S if number else 1
        found = (
            run_wrk(tier.url + HELLO, seconds),
            _measure_submissions(tier, seconds),
            run_wrk(tier.url + TASK, seconds, BODY),
        )
        tier.client.unlink(TASK_QUEUE)
        if number:  # the first round warms up
            for loads, load in zip((hello, submit, task), found, strict=True):
                loads.append(load)
    return hello, submit, task


def _measure_submissions(tier: WebTier, seconds: int) -> Load:
    before = tier.count_pending()
    load = run_wrk(tier.url + SUBMIT, seconds, BODY)
    kept = tier.count_pending() - before
    # of what was under way when wrk stopped, the answers were not counted
    if not load.answered <= kept <= load.answered + CONNECTIONS:
        raise MinequeueError(f"{load.answered} submissions were answered and {kept} kept.")
    return load


def _measure_batches(tier: WebTier, kind: str) -> float:
    """Transactions a second in batches of this content type, after one that warms up."""
    body, before = _make_batch(kind).encode(), tier.count_pending()
    connection = HTTPConnection(urlsplit(tier.url).netloc)
    _post_batch(connection, kind, body)
    began, count = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < BATCH_S:
        _post_batch(connection, kind, body)
        count += BATCH
    connection.close()
    kept = tier.count_pending() - before
    if kept != BATCH + count:
        raise MinequeueError(f"{BATCH + count} entries were accepted and {kept} kept.")
    return count / took


def _post_batch(connection: HTTPConnection, kind: str, body: bytes) -> None:
    connection.request("POST", SUBMIT, body, {"Content-Type": kind})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 202 or said.count(b'"pending"') != BATCH:
        raise MinequeueError(f"A batch was not accepted as a whole: {said[:200]!r}")


def _make_batch(kind: str) -> str:
    entries = list(_make_entries())
    return f"[{','.join(entries)}]" if kind == "application/json" else "\n".join(entries)


def _make_entries() -> Iterator[str]:
    for amount in range(BATCH):
        yield json.dumps({"sender": SENDER, "recipient": RECIPIENT, "amount": amount})


def _rate(loads: list[Load]) -> float:
    return median(load.rate for load in loads)


def _p99_ms(loads: list[Load]) -> float:
    return median(load.p99_ms for load in loads)
