"""Events as AWS delivers them, cut to what says anything."""

import json
from typing import Any, TypeAlias

Event: TypeAlias = dict[str, Any]

DUMMY: Event = {"key1": "value1", "key2": "value2", "key3": "value3"}  # a function console's own
KIND = {"content-type": "application/json"}


def payment(recipient: str = "bob", amount: int = 5) -> dict[str, Any]:
    return {"sender": "alice", "recipient": recipient, "amount": amount}


def rest_request(method: str, path: str, body: Any = None, **headers: str) -> Event:
    """Of an API Gateway's REST API: version 1."""
    said = {**KIND, "host": "x.execute-api.test", **_names(headers)}
    return {
        "version": "1.0",
        "httpMethod": method,
        "path": path,
        "headers": said,
        "multiValueHeaders": {name: [value] for name, value in said.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"stage": "prod", "path": f"/prod{path}", "httpMethod": method},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def http_request(
    method: str, path: str, body: Any = None, stage: str = "$default", **headers: str
) -> Event:
    """Of an API Gateway's HTTP API, or of a function URL: version 2."""
    raw = path if stage == "$default" else f"/{stage}{path}"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw,
        "rawQueryString": "",
        "headers": {**KIND, "host": "x.execute-api.test", **_names(headers)},
        "requestContext": {
            "stage": stage,
            "http": {
                "method": method,
                "path": raw,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
            },
        },
        **({} if body is None else {"body": json.dumps(body)}),
        "isBase64Encoded": False,
    }


def balancer_request(method: str, path: str, body: Any = None, **headers: str) -> Event:
    """Of an application load balancer."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {
            **KIND,
            "host": "x.elb.test",
            "x-forwarded-for": "192.0.2.1",
            **_names(headers),
        },
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


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


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
