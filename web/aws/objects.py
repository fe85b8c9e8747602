"""S3: each line of an object is a transaction (NDJSON), however large the object is.

A line's place gives its nonce: bucket, key, version and the offset of its first byte. So the same
object gives the same ids, in whatever batches and however often it is read.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from minequeue.chain.errors import InvalidTransaction, MinequeueError, QueueFull
from minequeue.chain.ledger import Submission, SubmitResult
from minequeue.chain.protocol.transaction import Transaction
from minequeue.web.aws.errors import NotAccepted
from minequeue.web.aws.lines import Line, Readable, iterate_lines
from minequeue.web.aws.messages import Record
from minequeue.web.intake.submissions import make_nonces
from minequeue.web.replies.problems import of_error
from minequeue.web.services import Services

_MAX_LINE_BYTES = 256 * 1024  # bytes; the largest contract has 16 KiB
_BATCH_LINES = 1000  # what one call of the server takes
_BATCH_BYTES = 4 * 1024 * 1024
_MAX_REASONS = 20  # refused lines of an object that the log gets one by one
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ObjectName:
    """One version of an object.

    Attributes:
        bucket: its bucket.
        key: its key there.
        version: its version, or None where the bucket keeps none.
        etag: of its content, without quotation marks.
    """

    bucket: str
    key: str
    version: str | None
    etag: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}@{self.version or self.etag}"


OpenObject: TypeAlias = Callable[[ObjectName], AbstractContextManager[Readable]]


def take_objects(
    records: Iterable[Record], services: Services, open_object: OpenObject
) -> dict[str, Any]:
    """Submit the lines of the objects that were created; what else happened to one is passed over.

    Raises:
        NotAccepted: some lines are no valid transactions; all the others are on the queue.
        QueueFull, LedgerUnavailable: some lines are not on the queue; the same event goes on there.
    """
    outcomes = [
        _Import(name, services).run(open_object)
        for name in map(_read_name, records)
        if name is not None
    ]
    if refused := [outcome for outcome in outcomes if outcome.refused]:
        raise NotAccepted(" ".join(map(str, refused)) + " The log says why.")
    return {"accepted": sum(outcome.accepted for outcome in outcomes)}


def _read_name(record: Record) -> ObjectName | None:
    if not record["eventName"].startswith("ObjectCreated"):
        return None
    found = record["s3"]["object"]
    return ObjectName(
        record["s3"]["bucket"]["name"],
        unquote_plus(found["key"]),
        found.get("versionId"),
        found["eTag"],
    )


class _Import:
    """One object on its way to the queue, and how many of its lines got there or were refused."""

    def __init__(self, name: ObjectName, services: Services) -> None:
        self._name = name
        self._services = services
        self._nonces = make_nonces(str(name))
        self.accepted = 0
        self.refused = 0

    def __str__(self) -> str:
        lines = self.accepted + self.refused
        return f"{self._name}: {self.refused} of {lines} lines are not accepted."

    def run(self, open_object: OpenObject) -> "_Import":
        """Submit all lines."""
        with open_object(self._name) as stream:
            lines = iterate_lines(stream, longest=_MAX_LINE_BYTES)
            for batch in _batches(lines, min(_BATCH_LINES, self._services.limits.batch)):
                self._submit(batch)
        if self.refused:
            _log.error("%s", self)
        return self

    def _submit(self, batch: list[Line]) -> None:
        fitting = [line for line in batch if len(line.text) <= _MAX_LINE_BYTES]
        for line in batch:
            if len(line.text) > _MAX_LINE_BYTES:
                self._refuse(
                    line, InvalidTransaction(f"A line has at most {_MAX_LINE_BYTES} bytes.")
                )
        if not fitting:
            return
        outcomes = self._services.intake.read_lines(
            [line.text for line in fitting],
            lambda position: self._nonces(fitting[position].offset),
        )
        accepted: list[Transaction] = []
        for line, outcome in zip(fitting, outcomes, strict=True):
            if isinstance(outcome, Transaction):
                accepted.append(outcome)
            else:
                self._refuse(line, outcome)
        if accepted:
            results = self._services.intake.queue_together([Submission(accepted)])
            if results != [SubmitResult.ACCEPTED]:
                raise QueueFull
        self.accepted += len(accepted)

    def _refuse(self, line: Line, error: MinequeueError) -> None:
        self.refused += 1
        slug = of_error(error).slug
        self._services.refusals.count(slug)
        if self.refused <= _MAX_REASONS:
            _log.error("%s, line %d is not accepted (%s): %s", self._name, line.number, slug, error)


def _batches(lines: Iterable[Line], most: int) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line.text)
        if len(batch) == most or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
