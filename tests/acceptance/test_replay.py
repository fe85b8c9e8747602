"""What AWS put aside after failures, replayed by the real aws command line against moto."""

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from minequeue.chain.ledger import Ledger
from minequeue.compose.cli.main import cli
from minequeue.compose.client.replay import AwsFailed
from minequeue.web.aws.function import Function
from tests.faulty_node import Asked, Told, serve
from tests.lambda_events import object_event, payment, queue_event, topic_event
from tests.lambda_s3 import serve_s3
from tests.ledgers import mine_all, mined_ids
from tests.separate_ledgers import make_separate_ledger
from tests.web_clients import make_client

ONE = json.dumps(payment())
NAME = "minequeue-lambda"
OBJECT = f"{ONE}\n".encode() * 3


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """The variables of a stand-in for AWS."""
    with serve_s3() as running:
        url = running.environment["AWS_ENDPOINT_URL_S3"]
        # in the older regions this aws takes the address of SQS from a list of its own
        region = {"AWS_DEFAULT_REGION": "eu-central-2"}
        yield {**running.environment, "AWS_ENDPOINT_URL": url, **region}


@pytest.fixture
def ledger() -> Ledger:
    return make_separate_ledger()


@pytest.fixture
def function(ledger: Ledger) -> Function:
    app = make_client(ledger, batch=1000).application
    return Function(
        app,
        app.extensions["minequeue"],
        open_object=lambda _: closing(BytesIO(OBJECT)),
        begin=lambda: None,
        is_open=True,
    )


@pytest.fixture
def cloud(
    aws: dict[str, str], function: Function, monkeypatch: pytest.MonkeyPatch
) -> Iterator["Cloud"]:
    def invoke(asked: Asked) -> Told:
        assert asked.path == f"/2015-03-31/functions/{NAME}/invocations"
        try:
            return Told(200, json.dumps(function(json.loads(asked.body), None)).encode())
        except Exception as error:  # noqa: BLE001  # as AWS Lambda does
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return Told(200, json.dumps(told).encode(), {"X-Amz-Function-Error": "Unhandled"})

    with serve(invoke) as url:
        for name, value in {**aws, "AWS_ENDPOINT_URL_LAMBDA": url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
        yield Cloud()


class Cloud:
    """Queues, a table, and what failed."""

    def __init__(self) -> None:
        self._queues: Any = boto3.client("sqs")
        self.failed = self._queues.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]

    def fail(self, body: str) -> str:
        """Put a message of Lambda's into the queue; its id."""
        name: str = self._queues.send_message(QueueUrl=self.failed, MessageBody=body)["MessageId"]
        return name

    def redrive(self, *bodies: str) -> list[dict[str, Any]]:
        """Send messages to a queue, and receive them once too often; as they were received."""
        names = {"AttributeNames": ["QueueArn"]}
        arn = self._queues.get_queue_attributes(QueueUrl=self.failed, **names)["Attributes"]
        policy = json.dumps({"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 1})
        settings = {"RedrivePolicy": policy, "VisibilityTimeout": "0"}
        url = self._queues.create_queue(QueueName="payments", Attributes=settings)["QueueUrl"]
        for body in bodies:
            self._queues.send_message(QueueUrl=url, MessageBody=body)
        found: list[dict[str, Any]] = []
        while some := self._queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            found += some
        return found

    def write_items(self, *numbers: str) -> list[dict[str, Any]]:
        """Put items into a table with a stream; the stream's records, and its ARN in each."""
        table: Any = boto3.client("dynamodb")
        key = {"AttributeName": "payment"}
        made = table.create_table(
            TableName="payments",
            KeySchema=[{**key, "KeyType": "HASH"}],
            AttributeDefinitions=[{**key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )["TableDescription"]
        for number in numbers:
            item = {name: {"S": name} for name in ("sender", "recipient")}
            named = {"payment": {"S": number}, **item, "amount": {"N": number}}
            table.put_item(TableName="payments", Item=named)
        streams: Any = boto3.client("dynamodbstreams")
        arn = made["LatestStreamArn"]
        [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records: list[dict[str, Any]] = streams.get_records(ShardIterator=start)["Records"]
        return [{**record, "arn": arn, "shard": shard["ShardId"]} for record in records]

    def replay(self) -> Result:
        command = ["replay", self.failed, NAME]
        return CliRunner().invoke(cli, command, catch_exceptions=False)

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._queues.get_queue_attributes(QueueUrl=self.failed, AttributeNames=names)
        return sum(map(int, found["Attributes"].values()))


def _destination(**members: Any) -> str:
    """What Lambda writes to a destination on failure."""
    context = {"requestId": "e4b46cbf", "functionArn": NAME, "condition": "RetriesExhausted"}
    return json.dumps({"version": "1.0", "requestContext": context, **members})


def test_each_form_of_what_failed_is_replayed_and_nothing_is_paid_twice(
    cloud: Cloud, function: Function, ledger: Ledger
) -> None:
    messages = cloud.redrive(ONE, ONE, json.dumps([payment(), payment()]))
    assert len(messages) == 3
    # the function took the first one, and died before AWS heard of it
    function(queue_event({messages[0]["MessageId"]: messages[0]["Body"]}), None)
    cloud.fail(_destination(requestPayload=topic_event("n", ONE)))
    function(topic_event("n", ONE), None)
    cloud.fail(_destination(requestPayload=object_event("b", "k", "e")))
    records = cloud.write_items("1", "2", "3", "4")
    batch = {
        "streamArn": records[0]["arn"],
        "shardId": records[0]["shard"],
        "startSequenceNumber": records[1]["dynamodb"]["SequenceNumber"],
        "endSequenceNumber": records[2]["dynamodb"]["SequenceNumber"],
        "batchSize": 2,
    }
    cloud.fail(_destination(DDBStreamBatchInfo=batch))
    done = cloud.replay()
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "6 accepted, 0 left in the queue."
    assert cloud.left() == 0
    mine_all(ledger)
    ids = list(mined_ids(ledger))
    # two messages of one and one of two, a notification, three lines, two items
    assert len(ids) == len(set(ids)) == 2 + 2 + 1 + 3 + 2


def test_what_is_not_accepted_again_stays_in_the_queue_and_is_named(
    cloud: Cloud, ledger: Ledger
) -> None:
    bad = cloud.fail("oops")
    gone = cloud.fail(_destination(requestPayload={"Records": [{"eventSource": "aws:kinesis"}]}))
    cloud.fail(ONE)
    done = cloud.replay()
    assert done.exit_code == 1, done.output + done.stderr
    assert f"{bad}: The function does not accept it; its log says why." in done.output
    assert f"{gone}: The function fails: " in done.output
    assert "UnknownEvent" in done.output
    assert done.output.splitlines()[-1] == "1 accepted, 2 left in the queue."
    assert cloud.left() == 2
    assert ledger.queue.read().pending == 1


def test_a_queue_that_is_not_there_is_one_sentence(cloud: Cloud) -> None:
    cloud.failed += "-of-another"
    with pytest.raises(AwsFailed, match=r"aws sqs receive-message fails: .*NonExistentQueue"):
        cloud.replay()
