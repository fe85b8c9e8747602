"""The function of AWS Lambda over a ledger in this process: what each event does to the queue."""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from io import BytesIO
from typing import Any

import fakeredis
import pytest

from minequeue.chain.errors import LedgerUnavailable, QueueFull
from minequeue.chain.ledger import Ledger, RedisClient
from minequeue.chain.protocol.signature import SecretKey
from minequeue.chain.protocol.transaction import sign_submission
from minequeue.web.aws.errors import NotAccepted, UnknownEvent
from minequeue.web.aws.function import ACCEPTED, Function
from minequeue.web.aws.lines import Line, iterate_lines
from minequeue.web.aws.objects import ObjectName
from minequeue.web.services import Services
from tests.gateways import (
    GATEWAYS,
    HOSTS,
    Request,
    balancer,
    function_url,
    http_api,
    rest_api,
)
from tests.lambda_events import (
    DUMMY,
    balancer_request,
    http_request,
    item,
    object_event,
    payment,
    queue_event,
    rest_request,
    stream_event,
    topic_event,
)
from tests.ledgers import BOUNDS, RULES, make_ledger, mine_all, mined_ids, read_chain
from tests.separate_ledgers import make_fake_client
from tests.web_clients import make_client

ONE = json.dumps(payment())


class Objects:
    """Objects of S3 by their names."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def open(self, name: ObjectName) -> AbstractContextManager[BytesIO]:
        return closing(BytesIO(self.bodies[f"{name.bucket}/{name.key}"]))


def make_function(
    ledger: Ledger,
    *,
    objects: Objects | None = None,
    begin: Callable[[], None] = lambda: None,
    is_open: bool = True,
    **client: Any,
) -> Function:
    app = make_client(ledger, hosts=HOSTS, **client).application
    services: Services = app.extensions["minequeue"]
    return Function(
        app,
        services,
        open_object=(objects or Objects()).open,
        begin=begin,
        is_open=is_open,
    )


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
def function(ledger: Ledger, objects: Objects) -> Function:
    return make_function(ledger, objects=objects, batch=1000, body_bytes=1_000_000)


def _pending(ledger: Ledger) -> int:
    return ledger.queue.read().pending


def _failures(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize("make", [rest_request, http_request, balancer_request])
def test_a_request_of_each_kind_reaches_the_app(
    make: Any, ledger: Ledger, function: Function
) -> None:
    answer = function(make("POST", "/chain/new", payment()), None)
    assert answer["statusCode"] == 202
    receipt = json.loads(answer["body"])
    assert function(make("GET", receipt["links"]["self"]), None)["statusCode"] == 200
    assert _pending(ledger) == 1


@pytest.mark.parametrize("make", [rest_request, http_request, balancer_request])
def test_an_idempotency_key_is_honoured_in_an_event(
    make: Any, ledger: Ledger, function: Function
) -> None:
    request = make("POST", "/chain/new", payment(), idempotency_key="order-17")
    assert function(request, None)["body"] == function(request, None)["body"]
    assert _pending(ledger) == 1


each_gateway = pytest.mark.parametrize("send", GATEWAYS.values(), ids=GATEWAYS)
Send = Callable[[Request], dict[str, Any]]


@pytest.mark.parametrize("stage", ["$default", "prod", "queue", "chain"])
@pytest.mark.parametrize("name", ["REST API", "HTTP API", "HTTP API, first version"])
def test_a_stage_in_the_path_is_not_the_apps(function: Function, name: str, stage: str) -> None:
    make: Any = GATEWAYS[name]
    for path, text in (("/queue", "depth"), ("/chain/tip", "hash"), ("/", "<!doctype html>")):
        answer = function(make(Request("GET", path), stage), None)
        assert answer["statusCode"] == 200, path
        assert text in answer["body"]
    assert function(make(Request("GET", "/queues"), stage), None)["statusCode"] == 404


@each_gateway
@pytest.mark.parametrize(
    "path",
    [
        "/%E2%82%AC",
        "/%ff%FE",
        "/%F0%9F%98%80/%00",
        "/chain/blocks/%E2%82%AC",
        "/blocks/%C3%A9",
        "/a%20b+c",
        "/a%2Fb",
        "/a%252Fb",
        "/a%2525",
        "/%",
        "/%zz",
        "/a%3Fb",
        "/a%23b",
        "/chain%2Fblocks%2Fx",
        "/%63hain/blocks/x",
    ],
)
def test_a_path_of_any_bytes_is_not_found_and_no_fault(
    function: Function, send: Send, path: str
) -> None:
    answer = function(send(Request("GET", path)), None)
    assert answer["statusCode"] == 404
    if not path.startswith("/blocks"):  # a page
        assert json.loads(answer["body"])["type"] == "urn:minequeue:problem:not-found"


@each_gateway
@pytest.mark.parametrize("path", ["/chain/tip", "/chain%2Ftip", "/%63hain/t%69p"])
def test_a_path_is_decoded_once_whoever_does_it(function: Function, send: Send, path: str) -> None:
    assert function(send(Request("GET", path)), None)["statusCode"] == 200


@pytest.mark.parametrize("send", [rest_api, function_url, balancer])
def test_what_a_decoded_path_has_left_is_not_decoded_again(function: Function, send: Send) -> None:
    # an HTTP API itself does so
    assert function(send(Request("GET", "/chain/%2574ip")), None)["statusCode"] == 404
    assert function(http_api(Request("GET", "/chain/%2574ip")), None)["statusCode"] == 200


@each_gateway
def test_an_address_of_any_characters_is_found_by_the_query(
    ledger: Ledger, function: Function, send: Send
) -> None:
    for name, query in [
        ("Ren\u00e9e 50% + \u20ac&=/?#", "Ren%C3%A9e%2050%25%20%2B+%E2%82%AC%26%3D/%3F%23"),
        ("\U0001f600", "%F0%9F%98%80"),
        ("a+b", "a%2Bb"),
        ("a b", "a+b"),
        ("%41", "%2541"),
    ]:
        body = json.dumps({"sender": name, "recipient": "bob", "amount": 5}).encode()
        kind = [("Content-Type", "application/json")]
        assert function(send(Request("POST", "/chain/new", kind, body)), None)["statusCode"] == 202
        mine_all(ledger)
        answer = function(send(Request("GET", f"/addresses?name={query}")), None)
        assert answer["statusCode"] == 200
        assert answer["body"].count('<a href="/addresses?name=bob">') == 1, name


@each_gateway
def test_a_parameter_that_is_given_twice_counts_as_everywhere(
    function: Function, send: Send
) -> None:
    for query, status in (("from=1&limit=1", 200), ("from=&limit=1", 400), ("from=x", 400)):
        assert function(send(Request("GET", f"/chain?{query}")), None)["statusCode"] == status


@each_gateway
def test_a_body_is_taken_as_text_and_in_base64(
    ledger: Ledger, function: Function, send: Send
) -> None:
    lines = "".join(json.dumps(payment("Zo\u00eb \u20ac")) + "\n" for _ in range(3)).encode()
    for kind, body, count in [
        ("application/json", ONE.encode(), 1),
        ("application/json; charset=utf-8", json.dumps(payment("\u20ac")).encode(), 1),
        ("application/x-ndjson", lines, 3),  # which gateways take for no text
    ]:
        before = _pending(ledger)
        request = Request("POST", "/chain/new", [("Content-Type", kind)], body)
        assert function(send(request), None)["statusCode"] == 202
        assert _pending(ledger) == before + count
    broken = Request("POST", "/chain/new", [("Content-Type", "application/x-ndjson")], b"\xff\xfe")
    assert function(send(broken), None)["statusCode"] == 400


@each_gateway
def test_headers_that_come_twice_or_hold_any_characters_are_no_fault(
    function: Function, send: Send
) -> None:
    def ask(*headers: tuple[str, str]) -> Any:
        kind = ("Content-Type", "application/json")
        request = Request("POST", "/chain/new", [kind, *headers], ONE.encode())
        return function(send(request), None)["statusCode"]

    assert ask(("X-Other", "one"), ("X-Other", "two"), ("Cookie", "a=1; b=2")) == 202
    assert ask(("X-Other", "\u20ac"), ("X-Other", "\xff")) == 202
    assert ask(("Idempotency-Key", "\u20ac")) == 400
    assert ask(("X-Request-Id", "\u20ac")) == 400
    assert ask(("Authorization", "Bearer \u20ac")) == 202
    assert ask(("Origin", "https://evil.example")) == 403


@each_gateway
def test_a_look_at_the_headers_gets_no_body(function: Function, send: Send) -> None:
    answer = function(send(Request("HEAD", "/queue")), None)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    answer = function(send(Request("HEAD", "/no-such-path")), None)
    assert (answer["statusCode"], answer["body"]) == (404, "")
    assert function(send(Request("HEAD", "/mine")), None)["statusCode"] == 405


@each_gateway
def test_a_host_that_is_not_the_functions_is_refused(function: Function, send: Send) -> None:
    answer = function(send(Request("GET", "/queue", host="evil.example")), None)
    assert answer["statusCode"] == 421


def test_a_balancer_that_looks_after_a_function_names_no_host(function: Function) -> None:
    event = balancer(Request("GET", "/health/ready"))
    event["headers"] = {"user-agent": "ELB-HealthChecker/2.0"}
    assert function(event, None)["statusCode"] == 200


def test_a_test_in_the_console_of_a_rest_api_has_no_headers(function: Function) -> None:
    event = {**rest_api(Request("GET", "/queue")), "headers": None, "multiValueHeaders": None}
    assert function(event, None)["statusCode"] == 200


@pytest.mark.parametrize("make", [rest_request, http_request, balancer_request])
def test_without_tokens_a_function_takes_no_requests_but_records(make: Any, ledger: Ledger) -> None:
    function = make_function(ledger, is_open=False)
    answer = function(make("GET", "/queue"), None)
    assert (answer["statusCode"], json.loads(answer["body"])["type"]) == (
        403,
        "urn:minequeue:problem:closed",
    )
    function(queue_event({"m": ONE}), None)
    assert _pending(ledger) == 1


@pytest.mark.parametrize(
    ("make", "most"),
    [(rest_request, 2_900_000), (http_request, 2_900_000), (balancer_request, 480_000)],
)
def test_an_answer_that_aws_cannot_carry_is_a_problem_that_says_how_to_read_it(
    make: Any, most: int, redis_client: RedisClient
) -> None:
    rules = replace(RULES, block_transactions=1000, block_bytes=5_000_000)
    bounds = replace(BOUNDS, pending=1000, pending_bytes=5_000_000)
    ledger = make_ledger(redis_client, rules, bounds)
    function = make_function(ledger, batch=1000)
    large = {**payment(), "contract": "x" * 16_000}
    count = most // 16_000 + 1
    function(queue_event({f"m{number}": json.dumps(large) for number in range(count)}), None)
    mine_all(ledger)
    answer = function(make("GET", "/chain"), None)
    assert answer["statusCode"] == 413
    problem = json.loads(answer["body"])
    assert problem["type"] == "urn:minequeue:problem:answer-too-large"
    assert str(most) in problem["detail"]
    assert function(make("GET", "/chain/tip"), None)["statusCode"] == 200


def test_messages_of_a_queue_are_on_the_chain_once_however_often_they_come(
    ledger: Ledger, function: Function
) -> None:
    event = queue_event({"a": ONE, "b": ONE, "c": json.dumps([payment(), payment()])})
    assert _failures(function(event, None)) == []
    assert _failures(function(event, None)) == []
    mine_all(ledger)
    assert _failures(function(event, None)) == []
    assert _pending(ledger) == 0
    ids = list(mined_ids(ledger))
    assert len(ids) == len(set(ids)) == 4


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("oops", "(malformed-json): The body is not JSON"),
        ('"\ud800"', "(malformed-json): The body is not UTF-8"),
        ("{}", "(invalid-transaction): sender is missing"),
        ("[]", "(empty-batch): Send at least one"),
        (json.dumps([payment()] * 1001), "(content-too-large): A batch has at most 1000"),
        (json.dumps([payment(), {}]), "(invalid-transaction): entry 1: sender is missing"),
        (json.dumps(payment(amount=-1)), "(invalid-transaction): amount must be"),
    ],
)
def test_a_bad_message_is_reported_with_its_reason_and_nothing_of_it_is_taken(
    body: str,
    reason: str,
    ledger: Ledger,
    function: Function,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = function(queue_event({"good": ONE, "bad": body, "also good": ONE}), None)
    assert _failures(answer) == ["bad"]
    assert _pending(ledger) == 2
    assert f"SQS bad is not accepted {reason}" in caplog.text


def test_messages_that_the_queue_has_no_room_for_are_reported_and_fit_later(
    redis_client: RedisClient, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = make_ledger(redis_client, bounds=replace(BOUNDS, pending=2))
    function = make_function(ledger)
    event = queue_event({"a": ONE, "b": ONE, "c": ONE})
    assert _failures(function(event, None)) == ["c"]
    assert "queue-full" in caplog.text
    mine_all(ledger)
    assert _failures(function(event, None)) == []
    mine_all(ledger)
    assert len(set(mined_ids(ledger))) == 3


def test_what_is_refused_is_counted_before_the_function_is_frozen(function: Function) -> None:
    function(queue_event({"bad": "oops"}), None)
    metrics = function(http_request("GET", "/metrics"), None)["body"]
    assert 'minequeue_requests_refused_total{reason="malformed-json"} 1.0' in metrics


def test_a_network_of_signed_transactions_takes_no_other_messages(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(redis_client, replace(RULES, signed=True))
    signed = sign_submission({"recipient": "bob", "amount": 5}, SecretKey(), lambda: "n")
    event = queue_event({"signed": signed.decode(), "plain": ONE})
    assert _failures(make_function(ledger)(event, None)) == ["plain"]
    assert _pending(ledger) == 1


def _name(event: dict[str, Any], key: str | None, kind: str = "String") -> dict[str, Any]:
    """The event of one message, with a key that its sender gave it."""
    [record] = event["Records"]
    if "Sns" in record:
        record["Sns"]["MessageAttributes"] = {"Idempotency-Key": {"Type": kind, "Value": key}}
    else:
        value = {"dataType": kind, "stringValue": key}
        record["messageAttributes"] = {"Idempotency-Key": value}
    return event


def test_a_message_with_a_key_is_known_by_it_when_it_comes_back_with_another_id(
    ledger: Ledger, function: Function
) -> None:
    for number in range(3):
        event = _name(queue_event({f"redriven {number}": ONE}), "order-17")
        assert _failures(function(event, None)) == []
    assert function(_name(topic_event("n", ONE), "order-17"), None) == {"accepted": 1}
    assert _pending(ledger) == 1
    function(_name(queue_event({"other": ONE}), "order-18"), None)
    function(_name(queue_event({"another": json.dumps(payment(amount=6))}), "order-17"), None)
    assert _pending(ledger) == 3


def test_a_message_without_a_key_is_known_by_its_id(ledger: Ledger, function: Function) -> None:
    for name in ("first", "first", "redriven"):
        function(queue_event({name: ONE}), None)
    assert _pending(ledger) == 2


@pytest.mark.parametrize("key", ["", "k" * 256, "\u20ac", "\n", None])
def test_a_message_with_a_key_that_is_none_is_refused(
    ledger: Ledger, function: Function, caplog: pytest.LogCaptureFixture, key: str | None
) -> None:
    assert _failures(function(_name(queue_event({"m": ONE}), key), None)) == ["m"]
    with pytest.raises(NotAccepted):
        function(_name(topic_event("n", ONE), key), None)
    assert "SQS m is not accepted (bad-idempotency-key)" in caplog.text
    assert _pending(ledger) == 0
    assert _failures(function(_name(queue_event({"m": ONE}), "k" * 255), None)) == []


def test_a_notification_is_on_the_queue_once(ledger: Ledger, function: Function) -> None:
    for _ in range(2):
        assert function(topic_event("n1", ONE), None) == {"accepted": 1}
    function(topic_event("n2", ONE), None)
    assert _pending(ledger) == 2


def test_a_bad_notification_fails_so_that_aws_keeps_it(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotAccepted, match="n1"):
        function(topic_event("n1", "oops"), None)
    assert "SNS n1 is not accepted (malformed-json)" in caplog.text


def test_lines_of_an_object_are_on_the_queue_once_in_whatever_batches(
    redis_client: RedisClient, objects: Objects
) -> None:
    ledger = make_ledger(redis_client, bounds=replace(BOUNDS, pending=10_000))
    objects.bodies["b/new payments+x.ndjson"] = f"{ONE}\n\n{ONE}\r\n".encode() * 1250 + ONE.encode()
    event = object_event("b", "new+payments%2Bx.ndjson", "e1")
    for batch in (1000, 7, 1):
        function = make_function(ledger, objects=objects, batch=batch)
        assert function(event, None) == {"accepted": 2501}
        assert _pending(ledger) == 2501


def test_another_version_of_an_object_is_another_submission(
    ledger: Ledger, function: Function, objects: Objects
) -> None:
    objects.bodies["b/k"] = ONE.encode()
    for event in (
        object_event("b", "k", "e1"),
        object_event("b", "k", "e2"),
        object_event("b", "k", "e2", "v1"),
        object_event("b", "k", "e2", "v2"),
    ):
        function(event, None)
    assert _pending(ledger) == 4


def test_bad_lines_are_named_the_others_taken_and_the_event_fails(
    ledger: Ledger, function: Function, objects: Objects, caplog: pytest.LogCaptureFixture
) -> None:
    long = json.dumps({**payment(), "contract": "x" * 300_000})
    objects.bodies["b/k"] = "\n".join([ONE, "oops", "", "{}", long, ONE]).encode()
    for _ in range(2):
        with pytest.raises(NotAccepted, match=r"s3://b/k@e: 3 of 5 lines"):
            function(object_event("b", "k", "e"), None)
    assert _pending(ledger) == 2
    assert "s3://b/k@e, line 2 is not accepted (malformed-json)" in caplog.text
    assert "line 4 is not accepted (invalid-transaction): sender is missing" in caplog.text
    assert "line 5 is not accepted (invalid-transaction): A line has at most 262144" in caplog.text


def test_an_object_of_bad_lines_does_not_flood_the_log(
    function: Function, objects: Objects, caplog: pytest.LogCaptureFixture
) -> None:
    objects.bodies["b/k"] = b"oops\n" * 2500
    with pytest.raises(NotAccepted, match="2500 of 2500"):
        function(object_event("b", "k", "e"), None)
    # the last refusals of other tests are counted, or not, in threads of their own
    own = [record for record in caplog.records if record.name.startswith("minequeue.web.aws")]
    assert len(own) == 21


def test_an_object_larger_than_the_room_goes_on_where_there_is_room_again(
    redis_client: RedisClient, objects: Objects
) -> None:
    ledger = make_ledger(redis_client, bounds=replace(BOUNDS, pending=4))
    function = make_function(ledger, objects=objects, batch=3)
    objects.bodies["b/k"] = f"{ONE}\n".encode() * 6
    event = object_event("b", "k", "e")
    with pytest.raises(QueueFull):
        function(event, None)
    assert _pending(ledger) == 3
    mine_all(ledger)
    assert function(event, None) == {"accepted": 6}
    mine_all(ledger)
    ids = list(mined_ids(ledger))
    assert len(ids) == len(set(ids)) == 6


def test_an_object_that_was_removed_is_passed_over(function: Function) -> None:
    event = object_event("b", "k", "e", what="ObjectRemoved:Delete")
    assert function(event, None) == {"accepted": 0}


def test_an_inserted_item_is_a_transaction_once_and_a_changed_one_is_none(
    ledger: Ledger, function: Function
) -> None:
    contract = {
        "M": {
            "s": {"S": "é"},
            "l": {"L": [{"N": "1"}, {"BOOL": True}, {"NULL": True}]},
        }
    }
    event = stream_event(
        ("1", "INSERT", item("1", contract=contract)),
        ("2", "MODIFY", item("1")),
        ("3", "REMOVE", None),
    )
    assert _failures(function(event, None)) == []
    assert _failures(function(event, None)) == []
    mine_all(ledger)
    (text,) = [leaf for block in read_chain(ledger) for leaf in block.leaves if b"alice" in leaf]
    assert json.loads(text)["contract"] == {"s": "é", "l": [1, True, None]}


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (None, "no NewImage"),
        (item("2", "1.5"), "amount must be an integer"),
        (item("2", "9007199254740992"), "amount must be an integer"),
        (item("2", memo={"S": "x"}), "'memo' is not a field"),
        (item("2", contract={"B": "AAEC"}), "'contract' holds an attribute of the type B"),
        (item("2", contract={"NS": ["1"]}), "of the type NS"),
    ],
)
def test_a_bad_record_is_reported_and_those_behind_it_are_taken(
    image: Any,
    reason: str,
    ledger: Ledger,
    function: Function,
    caplog: pytest.LogCaptureFixture,
) -> None:
    event = stream_event(
        ("1", "INSERT", item("1")), ("2", "INSERT", image), ("3", "INSERT", item("3"))
    )
    assert _failures(function(event, None)) == ["2"]
    assert _pending(ledger) == 2
    assert "DynamoDB 2 is not accepted" in caplog.text
    assert reason in caplog.text


def test_the_consoles_test_is_answered_with_what_is_taken(function: Function) -> None:
    answer = function(DUMMY, None)
    assert (answer["status"], answer["type"]) == (400, "urn:minequeue:problem:unknown-event")
    assert ACCEPTED in answer["detail"]


def test_a_bucket_that_was_told_to_notify_is_no_failure(function: Function) -> None:
    event = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-27T00:00:00.000Z",
        "Bucket": "payments",
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    }
    assert function(event, None) == {"accepted": 0}


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"key1": "value1"},
        {**DUMMY, "more": 1},
        "text",
        None,
        1,
        [],
        [1],
        [DUMMY],
        # EventBridge Pipes hand on a list of records as they are
        [{"messageId": "m", "body": ONE, "eventSource": "aws:sqs"}],
        {"eventSource": "aws:mq", "messages": [{"messageID": "ID:1", "data": "e30="}]},
        {"eventSource": "aws:rmq", "rmqMessagesByQueue": {"payments::/": [{"data": "e30="}]}},
        {"eventSource": "aws:kafka", "records": {"payments-0": [{"value": "e30="}]}},
        {"eventSource": "SelfManagedKafka", "records": {"payments-0": [{"value": "e30="}]}},
        {"events": [{"event": {}}], "eventSource": "aws:docdb"},
        {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": "e30="}}]},
        {"Records": [{"eventSource": "aws:codecommit"}]},
        {"Records": []},
        {"Records": {}},
        {"Records": [1]},
        {"Records": [*queue_event({"m": ONE})["Records"], {"eventSource": "aws:kinesis"}]},
        {"records": [{"data": ""}], "deliveryStreamArn": "x"},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
        {"awslogs": {"data": ""}},
        {"invocationSchemaVersion": "1.0", "tasks": [{"taskId": "t", "s3Key": "k"}]},
        {"requestContext": {"connectionId": "c", "routeKey": "$connect"}, "body": ONE},
        {"version": "1.0", "requestPayload": {}, "requestContext": {"condition": "x"}},
        {"Event": "s3:OtherEvent"},
    ],
    ids=str,
)
def test_what_is_of_another_kind_fails_instead_of_being_lost(
    event: Any, ledger: Ledger, function: Function
) -> None:
    with pytest.raises(UnknownEvent, match="DynamoDB"):
        function(event, None)
    assert _pending(ledger) == 0


def test_a_record_without_its_parts_fails_and_names_what_is_missing(function: Function) -> None:
    with pytest.raises(UnknownEvent, match="'messageId'"):
        function({"Records": [{"eventSource": "aws:sqs", "body": ONE}]}, None)


def test_while_the_server_is_away_requests_get_503_and_records_come_again() -> None:
    server = fakeredis.FakeServer()
    ledger = make_ledger(RedisClient(make_fake_client(server), wait_s=0.1))
    function = make_function(ledger)
    server.connected = False
    answer = function(http_request("POST", "/chain/new", payment()), None)
    assert answer["statusCode"] == 503
    assert int(answer["headers"]["retry-after"]) >= 1
    assert function(rest_request("GET", "/chain"), None)["statusCode"] == 503
    for event in (queue_event({"m": ONE}), topic_event("n", ONE)):
        with pytest.raises(LedgerUnavailable):
            function(event, None)
    server.connected = True  # for the thread that still has refusals to count


def test_the_chain_is_begun_as_soon_as_the_server_answers(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    def begin() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise LedgerUnavailable

    function = make_function(ledger, begin=begin)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            function(queue_event({"m": ONE}), None)
    assert len(tries) == 2
    assert "the chain's beginning was not looked at yet" in caplog.text
    assert _pending(ledger) == 1


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines_are_found_with_their_places_however_the_parts_fall(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minequeue.web.aws.lines._PART_BYTES", size)
    found = list(iterate_lines(BytesIO(b"ab\n\n  \ncdefgh\r\nij"), longest=4))
    assert found == [Line(1, 0, b"ab"), Line(4, 7, b"cdefg"), Line(5, 15, b"ij")]


def test_a_line_without_end_takes_bounded_memory() -> None:
    class Endless:
        def __init__(self) -> None:
            self.left = 1000

        def read(self, size: int, /) -> bytes:
            self.left -= 1
            return b"x" * size if self.left else b""

    (line,) = iterate_lines(Endless(), longest=10)
    assert len(line.text) == 11


def test_the_function_needs_a_server_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from minequeue.compose.errors import StartRefused  # noqa: PLC0415
    from minequeue.compose.wiring.lambda_entry import make_handler  # noqa: PLC0415

    monkeypatch.delenv("MINEQUEUE_REDIS_URL", raising=False)
    with pytest.raises(StartRefused, match="MINEQUEUE_REDIS_URL"):
        make_handler()
