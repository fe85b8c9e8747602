"""Objects of S3, as they are read by a function of AWS Lambda, which has boto3 already."""

from contextlib import AbstractContextManager, closing
from functools import cached_property
from typing import Any

from minequeue.web.aws.lines import Readable
from minequeue.web.aws.objects import ObjectName

_CONNECT_S = 5
_READ_S = 30
_ATTEMPTS = 5


class S3Objects:
    """Reads objects; boto3 is loaded at the first, since most functions see none."""

    @cached_property
    def _client(self) -> Any:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        return boto3.client(
            "s3",
            config=Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            ),
        )

    def open(self, name: ObjectName) -> AbstractContextManager[Readable]:
        """The content of exactly this version, as it comes.

        Raises:
            botocore.exceptions.ClientError: it is not there any more, or may not be read.
            botocore.exceptions.HTTPClientError: the connection failed; in reading, too.
        """
        which = {"VersionId": name.version} if name.version else {"IfMatch": f'"{name.etag}"'}
        found = self._client.get_object(Bucket=name.bucket, Key=name.key, **which)
        return closing(found["Body"])
