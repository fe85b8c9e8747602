"""The function: an event is a request for the app, or records that are submissions.

Any other fails the invocation: whoever delivers events takes an answer for the end of them.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Flask

from minequeue.chain.errors import LedgerUnavailable, MinequeueError, UnusableLedger
from minequeue.web.aws.errors import UnknownEvent
from minequeue.web.aws.http import closed, is_request, make_http
from minequeue.web.aws.messages import take_queue, take_topic
from minequeue.web.aws.objects import OpenObject, take_objects
from minequeue.web.aws.table import take_stream
from minequeue.web.replies.problems import Problem
from minequeue.web.services import Services

ACCEPTED = (
    "requests of API Gateway (REST and HTTP APIs), function URLs and load balancers; records of "
    "SQS, SNS, S3 (ObjectCreated, NDJSON) and DynamoDB streams (INSERT, with NewImage)"
)
# what a function's console offers for a test
_TEST = {f"key{number}": f"value{number}" for number in (1, 2, 3)}
_log = logging.getLogger(__name__)


class Function:
    """What AWS Lambda calls.

    Args:
        app: answers requests.
        services: what it works with; records go on the same queue.
        open_object: reads an object of S3.
        begin: sees that the chain has a beginning; called until it succeeds.
        is_open: whether requests are answered at all.
    """

    def __init__(
        self,
        app: Flask,
        services: Services,
        *,
        open_object: OpenObject,
        begin: Callable[[], None],
        is_open: bool,
    ) -> None:
        self._answer = make_http(app if is_open else closed)
        self._services = services
        self._begin = begin
        self._has_begun = False
        self._takers: dict[str, Callable[..., dict[str, Any]]] = {
            "aws:sqs": take_queue,
            "aws:sns": take_topic,
            "aws:s3": partial(take_objects, open_object=open_object),
            "aws:dynamodb": take_stream,
        }

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Serve one event; the answer is what AWS expects of its kind.

        Raises:
            MinequeueError: it has to be delivered again.
        """
        self.begin()
        try:
            return self._serve(event, context)
        finally:
            self._flush()

    def begin(self) -> None:
        """See to the chain's beginning, if the server answers; events tell by themselves.

        Raises:
            UnusableLedger: it is not the one of these settings.
        """
        if self._has_begun:
            return
        try:
            self._begin()
            self._has_begun = True
        except UnusableLedger:
            raise
        except LedgerUnavailable as error:
            _log.warning("the chain's beginning was not looked at yet: %s", error)

    def _serve(self, event: Any, context: Any) -> dict[str, Any]:
        if event == _TEST:
            return _explain()
        if not isinstance(event, dict):
            raise _unknown()
        if is_request(event):
            return self._answer(event, context)
        if event.get("Event") == "s3:TestEvent":  # that a bucket was told to notify
            return {"accepted": 0}
        taker = self._takers.get(_find_source(event))
        if taker is None:
            raise _unknown()
        try:
            return taker(event["Records"], self._services)
        except KeyError as error:
            raise UnknownEvent(f"The event has not the form of its kind: no {error}.") from error

    def _flush(self) -> None:
        """Take the counts to the ledger: between two events nothing of this process runs."""
        try:
            self._services.refusals.flush()
        except MinequeueError as error:
            _log.warning("refusals are not counted yet: %s", error)


def _find_source(event: Mapping[str, Any]) -> str:
    """The service that all records are of, or ""."""
    records = event.get("Records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return ""
    # SNS alone writes it with a capital
    sources = {str(record.get("eventSource") or record.get("EventSource")) for record in records}
    return sources.pop() if len(sources) == 1 else ""


def _unknown() -> UnknownEvent:
    return UnknownEvent(f"Unknown kind of event. Accepted kinds: {ACCEPTED}.")


def _explain() -> dict[str, Any]:
    """The answer to the console's own test."""
    problem = Problem(
        400,
        "unknown-event",
        "Unknown event",
        f"Unknown kind of event. Accepted kinds: {ACCEPTED}.",
    )
    return problem.to_dict()
