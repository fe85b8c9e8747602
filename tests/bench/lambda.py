"""What a function of AWS Lambda takes here: its cold start, and each kind of event when warm."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger import Ledger, Submission
from tests.bench.report import Figure, Report
from tests.gateways import HOSTS, Event
from tests.lambda_events import (
    balancer_request,
    http_request,
    item,
    payment,
    queue_event,
    rest_request,
    stream_event,
    topic_event,
)
from tests.lambda_function import Function, Place, build_zip
from tests.lambda_s3 import S3, serve_s3
from tests.ledgers import make_transaction
from tests.server import run_server
from tests.workers import make_settings, open_ledger

STARTS = 10
EVENTS = 500  # of each kind
LINES = 100_000
_ONE = json.dumps(payment())
_MS = 1000


def measure() -> Report:
    """Measure starts and events on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="minequeue-bench-") as scratch:
        directory = Path(scratch)
        archive = directory / "lambda.zip"
        build_zip(archive)
        place = Place(directory / "place", archive)
        with run_server(directory / "server") as url:
            starts = [_measure_start(place, url) for _ in range(STARTS + 1)][1:]
            bare = [_measure_bare() for _ in range(STARTS)]
            with (
                serve_s3() as s3,
                place.start(**_environment(url), **s3.environment) as function,
            ):
                warm = {name: _measure_events(function, make) for name, make in _KINDS.items()}
                lines = _measure_object(function, s3)
            with open_ledger(url) as ledger:
                calls = _measure_calls(ledger)
        size = archive.stat().st_size
    call = median(calls)
    return Report(
        "lambda",
        [
            Figure("the zip file", size / 10**6, "MB", at_most=10),
            Figure("a bare Python's start", median(bare) * _MS, "ms"),
            Figure("cold start", median(starts) * _MS, "ms", at_most=1000),
            Figure("slowest cold start", max(starts) * _MS, "ms"),
            Figure("one call of the server", call * _MS, "ms"),
            *(
                figure
                for name, times in warm.items()
                for figure in (
                    Figure(name, median(times) * _MS, "ms"),
                    Figure(f"{name}, 99 %", quantiles(times, n=100)[-1] * _MS, "ms", at_most=50),
                )
            ),
            Figure(f"S3, an object of {LINES:,} lines", lines, "lines/s", at_least=20_000),
        ],
        [
            f"Each of {STARTS} starts is a process of its own, from its beginning to its wait "
            "for an event. What AWS takes to bring the file to a machine is not in it.",
            f"Each kind of event is {EVENTS} invocations in turn, of new transactions; the "
            "server writes its log to disk before it answers. The object comes over HTTP.",
        ],
    )


_KINDS: dict[str, Callable[[int], Event]] = {
    "HTTP API, one transaction": lambda _: http_request("POST", "/chain/new", payment()),
    "REST API, one transaction": lambda _: rest_request("POST", "/chain/new", payment()),
    "load balancer, one transaction": lambda _: balancer_request("POST", "/chain/new", payment()),
    "SQS, one message": lambda number: queue_event({f"a{number}": _ONE}),
    "SQS, ten messages": lambda number: queue_event({f"b{number}-{i}": _ONE for i in range(10)}),
    "SNS, one notification": lambda number: topic_event(f"c{number}", _ONE),
    "DynamoDB, ten records": lambda number: stream_event(
        *((f"{number}-{i}", "INSERT", item(f"{number}-{i}")) for i in range(10))
    ),
}


def _environment(url: str) -> dict[str, str]:
    return make_settings(url, open_to_all="yes", hosts=",".join(HOSTS)).as_environment()


def _measure_start(place: Place, url: str) -> float:
    began = time.perf_counter()
    with place.start(**_environment(url)):
        return time.perf_counter() - began


def _measure_bare() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
    return time.perf_counter() - began


def _measure_events(function: Function, make: Callable[[int], Event]) -> list[float]:
    """The seconds that each invocation takes, the first one left out."""
    said = [function.invoke(make(number)) for number in range(EVENTS + 1)]
    for each in said:
        _see_that_it_is_accepted(each)
    return [each["took_s"] for each in said[1:]]


def _measure_object(function: Function, s3: S3) -> float:
    """Lines a second of an object, boto3 loaded by one before."""
    _see_that_it_is_accepted(function.invoke(s3.put("plain", "warm", _ONE.encode())))
    said = function.invoke(s3.put("plain", "lines", f"{_ONE}\n".encode() * LINES))
    if said.get("answer") != {"accepted": LINES}:
        raise MinequeueError(f"An object was not accepted: {said}")
    return LINES / float(said["took_s"])


def _see_that_it_is_accepted(said: dict[str, Any]) -> None:
    answer = said.get("answer", {})
    if answer.get("statusCode") != 202 and answer not in (
        {"accepted": 1},
        {"batchItemFailures": []},
    ):
        raise MinequeueError(f"An event was not accepted: {said}")


def _measure_calls(ledger: Ledger) -> list[float]:
    """The seconds that the queue's own call takes for one transaction."""
    times = []
    for _ in range(EVENTS):
        submission = Submission([make_transaction()])
        began = time.perf_counter()
        ledger.mempool.submit([submission])
        times.append(time.perf_counter() - began)
    return times
