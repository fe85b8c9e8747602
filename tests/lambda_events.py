"""Events as AWS delivers them; those of records cut to what says anything."""

import json
from typing import Any

from tests import gateways
from tests.gateways import Event, Request

DUMMY: Event = {"key1": "value1", "key2": "value2", "key3": "value3"}  # a function console's own


def payment(recipient: str = "bob", amount: int = 5) -> dict[str, Any]:
    return {"sender": "alice", "recipient": recipient, "amount": amount}


def rest_request(method: str, path: str, body: Any = None, **headers: str) -> Event:
    """Of an API Gateway's REST API."""
    return gateways.rest_api(_make_request(method, path, body, headers))


def http_request(
    method: str, path: str, body: Any = None, stage: str = "$default", **headers: str
) -> Event:
    """Of an API Gateway's HTTP API."""
    return gateways.http_api(_make_request(method, path, body, headers), stage)


def balancer_request(method: str, path: str, body: Any = None, **headers: str) -> Event:
    """Of an application load balancer."""
    return gateways.balancer(_make_request(method, path, body, headers))


def queue_event(bodies: dict[str, str]) -> Event:
    """Of SQS: messages by their ids."""
    return {
        "Records": [
            {
                "messageId": name,
                "receiptHandle": "AQEB",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:payments",
            }
            for name, body in bodies.items()
        ]
    }


def topic_event(name: str, body: str) -> Event:
    """Of SNS, which delivers one notification at a time."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "Sns": {"Type": "Notification", "MessageId": name, "Message": body},
            }
        ]
    }


def object_event(
    bucket: str,
    key: str,
    etag: str,
    version: str | None = None,
    what: str = "ObjectCreated:Put",
) -> Event:
    """Of S3; ``key`` as it stands in events, encoded as in a query."""
    found = {"key": key, "size": 1, "eTag": etag, "sequencer": "0055AED6DCD90281E5"}
    if version is not None:
        found["versionId"] = version
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": what,
                "s3": {"bucket": {"name": bucket}, "object": found},
            }
        ]
    }


def stream_event(*changes: tuple[str, str, dict[str, Any] | None]) -> Event:
    """Of a DynamoDB stream: of each change its sequence number, its name and the new image."""
    return {
        "Records": [
            {
                "eventID": f"event-{number}",
                "eventName": what,
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {"payment": {"S": number}},
                    "SequenceNumber": number,
                    "StreamViewType": "NEW_IMAGE",
                    **({} if image is None else {"NewImage": image}),
                },
            }
            for number, what, image in changes
        ]
    }


def item(number: str, amount: str = "5", **more: Any) -> dict[str, Any]:
    """An item of a table whose key is ``payment``."""
    return {
        "payment": {"S": number},
        "sender": {"S": "alice"},
        "recipient": {"S": "bob"},
        "amount": {"N": amount},
        **more,
    }


def _make_request(method: str, path: str, body: Any, headers: dict[str, str]) -> Request:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    sent = None if body is None else json.dumps(body).encode()
    return Request(method, path, [("Content-Type", "application/json"), *named], sent)
