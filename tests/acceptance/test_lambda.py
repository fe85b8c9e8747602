"""`make lambda`: the zip file alone in an empty environment, with a real server and an S3."""

import json
import os
import platform
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger
from tests.gateways import GATEWAYS, HOSTS, Request
from tests.lambda_events import (
    DUMMY,
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
from tests.ledgers import mined_ids
from tests.server import run_server
from tests.waiting import wait_for
from tests.workers import is_drained, make_settings, make_start, open_ledger

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="the function's libraries are built for Linux on x86_64",
)
ONE = json.dumps(payment())
LINES = f"{ONE}\n".encode()
HEAVY = {"aiohttp", "celery", "flower", "granian", "kombu", "llvmlite", "numba", "workers"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "lambda.zip"
    assert f"{path}: " in build_zip(path)
    return path


@pytest.fixture(scope="module")
def place(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"), archive)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with serve_s3() as running:
        yield running


@pytest.fixture
def ledger(server: str) -> Iterator[Ledger]:
    with open_ledger(server) as opened:
        opened.redis.client.flushall()
        opened.open()
        yield opened


@pytest.fixture
def function(place: Place, server: str, s3: S3, ledger: Ledger) -> Iterator[Function]:  # noqa: ARG001  # begun before
    settings = make_settings(server, open_to_all="yes", hosts=",".join(HOSTS)).as_environment()
    with place.start(**settings, **s3.environment) as running:
        yield running


def test_two_builds_are_the_same_to_the_byte(archive: Path, tmp_path: Path) -> None:
    again = tmp_path / "lambda.zip"
    build_zip(again)
    assert archive.read_bytes() == again.read_bytes()


def test_the_file_is_small_and_holds_no_worker_and_no_server(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert not {name.partition("/")[0] for name in names} & HEAVY
    assert archive.stat().st_size < 10_000_000


def test_nothing_heavy_is_loaded_at_the_start(function: Function) -> None:
    loaded = {name.partition(".")[0] for name in function.start["modules"]}
    assert not loaded & (HEAVY | {"boto3", "botocore"})


def test_each_kind_of_event_is_on_the_chain_once_though_it_comes_twice(
    function: Function, ledger: Ledger, server: str, s3: S3, tmp_path: Path
) -> None:
    key = {"idempotency_key": "order-17"}
    events = [
        rest_request("POST", "/chain/new", payment(), **key),
        http_request("POST", "/chain/new", payment("carol"), idempotency_key="order-18"),
        balancer_request("POST", "/chain/new", payment("dave"), idempotency_key="order-19"),
        queue_event({"a": ONE, "b": ONE, "bad": "oops", "c": json.dumps([payment(), payment()])}),
        topic_event("n", ONE),
        s3.put("versioned", "a b.ndjson", LINES * 2500),
        s3.put("plain", "k", LINES * 3),
        stream_event(("1", "INSERT", item("1")), ("2", "INSERT", item("2"))),
    ]
    expected = 3 + 4 + 1 + 2500 + 3 + 2
    first = [function.invoke(event) for event in events]
    assert ledger.queue.read().pending == expected
    again = [function.invoke(event) for event in events]
    assert ledger.queue.read().pending == expected
    assert [said.get("answer") for said in first[3:]] == [said.get("answer") for said in again[3:]]
    for before, after in zip(first[:3], again[:3], strict=True):
        assert before["answer"]["body"] == after["answer"]["body"]
    assert [said["answer"]["statusCode"] for said in first[:3]] == [202] * 3
    assert first[3]["answer"] == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert [said["answer"] for said in first[4:]] == [
        {"accepted": 1},
        {"accepted": 2500},
        {"accepted": 3},
        {"batchItemFailures": []},
    ]
    with ExitStack() as started:  # nobody wakes the workers but their own tick
        make_start(started, tmp_path)(server)
        wait_for(lambda: is_drained(ledger), "the end of the queue")
    for event in events:
        function.invoke(event)
    assert ledger.queue.read().pending == 0
    ids = list(mined_ids(ledger))
    assert len(ids) == len(set(ids)) == expected


def test_a_path_that_is_no_ascii_is_not_found(function: Function) -> None:
    for make in GATEWAYS.values():
        assert function.invoke(make(Request("GET", "/%E2%82%AC")))["answer"]["statusCode"] == 404


def test_a_request_for_a_block_is_mined_without_a_wake_up(
    function: Function, ledger: Ledger, server: str, tmp_path: Path
) -> None:
    with ExitStack() as started:
        make_start(started, tmp_path)(server)
        wait_for(lambda: ledger.queue.read().fleet, "a worker", 60)
        answer = function.invoke(http_request("GET", "/chain/mine", prefer="wait=10"))["answer"]
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["index"] == 2
    assert ledger.blocks.tip().header.index == 2


def test_an_object_is_never_wholly_in_memory(function: Function, ledger: Ledger, s3: S3) -> None:
    function.invoke(s3.put("plain", "small", LINES))
    event = s3.put("plain", "large", LINES + b" \n" * 60_000_000 + LINES)
    before = function.invoke(DUMMY)["peak_kib"]
    said = function.invoke(event)
    assert said["answer"] == {"accepted": 2}
    assert ledger.queue.read().pending == 3
    assert said["peak_kib"] - before < 20_000


def test_an_object_that_was_replaced_meanwhile_fails_instead_of_being_read_as_another(
    function: Function, ledger: Ledger, s3: S3
) -> None:
    first = s3.put("plain", "k", LINES)
    second = s3.put("plain", "k", LINES * 2)
    assert "PreconditionFailed" in function.invoke(first)["errorMessage"]
    assert function.invoke(second)["answer"] == {"accepted": 2}
    assert ledger.queue.read().pending == 2


def test_the_articles_event_is_answered_with_what_is_taken(function: Function) -> None:
    answer = function.invoke(DUMMY)["answer"]
    assert answer["status"] == 400
    for kind in ("API Gateway", "load balancers", "SQS", "SNS", "S3", "DynamoDB"):
        assert kind in answer["detail"]


def test_a_function_without_a_server_says_which_setting_it_lacks(place: Place) -> None:
    environment = {k: v for k, v in os.environ.items() if k == "PATH"}
    with pytest.raises(AssertionError, match="MINEQUEUE_REDIS_URL"), place.start(**environment):
        pass
