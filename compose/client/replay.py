"""`minequeue replay`: hands the function again what AWS put into a queue after failures.

Such a queue holds three forms: messages that a redrive policy moved there, which keep their id;
what Lambda writes of an event that it delivered itself (SNS, S3), which holds that event; and of a
batch of a DynamoDB stream, which names its records alone. AWS is spoken to by its own command line.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minequeue.chain.errors import MalformedJson, MinequeueError
from minequeue.chain.protocol import strict_json
from minequeue.compose.text.terminal import escape

_INVISIBLE_S = 300  # how long a message that failed again is left alone: longer than a replay
_MAX_MESSAGES = 10  # messages that SQS gives at once
_PAGE = 1000  # records of a stream at once


class ReplayFailed(MinequeueError):
    """The event cannot be made, or was not accepted; its message stays in the queue."""


class AwsFailed(MinequeueError):
    """The command aws cannot do what it was asked."""


class Replay:
    """Replays one queue.

    Args:
        queue: its URL.
        function: the function's name or ARN.
    """

    def __init__(self, queue: str, function: str) -> None:
        self._queue = queue
        self._function = function

    def run(self) -> Iterator[tuple[str, str]]:
        """Replay each message, and delete it once all of it was accepted.

        Yields:
            A message's id, and why it stays in the queue, or "".

        Raises:
            AwsFailed: the queue cannot be read, or a message cannot be deleted.
        """
        while messages := self._receive():
            for message in messages:
                try:
                    self._invoke(_make_event(message))
                except (ReplayFailed, AwsFailed) as error:
                    yield message["MessageId"], str(error)
                    continue
                _aws(
                    *("sqs", "delete-message", "--queue-url", self._queue),
                    *("--receipt-handle", message["ReceiptHandle"]),
                )
                yield message["MessageId"], ""

    def _receive(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _aws(
            *("sqs", "receive-message", "--queue-url", self._queue),
            *("--max-number-of-messages", str(_MAX_MESSAGES), "--wait-time-seconds", "1"),
            *("--visibility-timeout", str(_INVISIBLE_S), "--message-attribute-names", "All"),
        ).get("Messages", [])
        return found

    def _invoke(self, event: Any) -> None:
        with tempfile.TemporaryDirectory(prefix="minequeue-replay-") as scratch:
            sent, answered = Path(scratch) / "event.json", Path(scratch) / "answer.json"
            sent.write_text(json.dumps(event))
            said = _aws(
                *("lambda", "invoke", "--function-name", self._function),
                *("--payload", f"fileb://{sent}", str(answered)),
            )
            answer = answered.read_text()
        if "FunctionError" in said:
            raise ReplayFailed(f"The function fails: {escape(answer)[:1000]}")
        if json.loads(answer).get("batchItemFailures"):
            raise ReplayFailed("The function does not accept it; its log says why.")


def _make_event(message: dict[str, Any]) -> Any:
    try:
        body = strict_json.loads(message["Body"].encode())
    except MalformedJson:
        body = None
    if isinstance(body, dict) and "requestContext" in body:  # which no transaction has
        if "requestPayload" in body:
            return body["requestPayload"]
        if isinstance(batch := body.get("DDBStreamBatchInfo"), dict):
            return {"Records": _read_batch(batch)}
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "body": message["Body"],
                "messageAttributes": {
                    name: {"dataType": value["DataType"], "stringValue": value.get("StringValue")}
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "eventSource": "aws:sqs",
            }
        ]
    }


def _read_batch(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a batch, which the stream keeps for a day."""
    last = int(batch["endSequenceNumber"])
    iterator = _aws(
        *("dynamodbstreams", "get-shard-iterator", "--stream-arn", batch["streamArn"]),
        *("--shard-id", batch["shardId"], "--shard-iterator-type", "AT_SEQUENCE_NUMBER"),
        *("--sequence-number", batch["startSequenceNumber"]),
    )["ShardIterator"]
    records: list[dict[str, Any]] = []
    while iterator:
        page = _aws(
            *("dynamodbstreams", "get-records", "--shard-iterator", iterator),
            *("--limit", str(_PAGE)),
        )
        for record in page["Records"]:
            number = int(record["dynamodb"]["SequenceNumber"])
            if number <= last:
                records.append(record)
            if number >= last:
                return records
        # what stands behind is looked for only while there is more to be read
        iterator = page.get("NextShardIterator") if page["Records"] else None
    raise ReplayFailed(
        f"The stream no longer has the records up to {batch['endSequenceNumber']}; send the items "
        "again that the table holds."
    )


def _aws(*arguments: str) -> dict[str, Any]:
    """What the command aws answers; an empty answer is an empty object.

    Raises:
        AwsFailed: it is not there, or fails.
    """
    program = shutil.which("aws")
    if program is None:
        raise AwsFailed("The command aws is not on PATH; install AWS' command line.")
    done = subprocess.run(  # noqa: S603  # no shell
        [program, *arguments, "--output", "json"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AwsFailed(f"aws {' '.join(arguments[:2])} fails: {escape(done.stderr.strip())}")
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    return answer
