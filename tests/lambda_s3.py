"""An S3 of moto's, in a process of its own, and what puts objects there."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus

import boto3

from tests.gateways import Event
from tests.http import request
from tests.lambda_events import object_event
from tests.stack import free_port
from tests.waiting import wait_for

_REGION = "us-east-1"
_KEY = "testing"


class S3:
    """A running one.

    Attributes:
        environment: the variables by which boto3 finds it.
    """

    def __init__(self, url: str) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _KEY,
        }
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            region_name=_REGION,
            aws_access_key_id=_KEY,
            aws_secret_access_key=_KEY,
        )

    def put(self, bucket: str, key: str, body: bytes) -> Event:
        """Put an object, and give the event of it; the bucket "versioned" keeps versions."""
        self._client.create_bucket(Bucket=bucket)
        if bucket == "versioned":
            self._client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        put = self._client.put_object(Bucket=bucket, Key=key, Body=body)
        return object_event(bucket, quote_plus(key), put["ETag"].strip('"'), put.get("VersionId"))


@contextmanager
def serve_s3() -> Iterator[S3]:
    """Start one; it has ended afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(lambda: _answers(url) or process.poll() is not None, "the start of S3")
            yield S3(url)
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return request("GET", url).status > 0
    except OSError:
        return False
