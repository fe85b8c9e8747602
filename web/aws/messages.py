"""Messages: each is a transaction or an array of them, and is accepted whole or not at all.

A message's key gives the nonces, as an Idempotency-Key does. So the same message gives the same
ids however often it is delivered, and ids are known for ever. The key is the message's id, unless
its sender gave it one: a message that is moved back from a dead-letter queue gets another id, and
keeps its attributes.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from minequeue.chain.errors import InvalidTransaction, MinequeueError, QueueFull
from minequeue.chain.ledger import Submission, SubmitResult
from minequeue.chain.protocol.transaction import Transaction
from minequeue.web.aws.errors import NotAccepted
from minequeue.web.http.requests import bad_key, is_key
from minequeue.web.intake.submissions import make_nonces
from minequeue.web.replies.problems import Problem, of_error
from minequeue.web.services import Services

Record: TypeAlias = Mapping[str, Any]
_KEY = "Idempotency-Key"  # the attribute by which a sender names a message
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        source: the kind of its event, for the log.
        name: what AWS calls it in a report of failures.
        key: unique among all messages and the same at each delivery; gives the nonces. None where
            its sender gave it one that cannot be used.
        read: gives the JSON text, or raises InvalidTransaction or MalformedJson.
    """

    source: str
    name: str
    key: str | None
    read: Callable[[], bytes]


def take_queue(records: Iterable[Record], services: Services) -> dict[str, Any]:
    """Submit the messages of SQS, and report those that were not accepted.

    SQS delivers those again, and moves them to the dead-letter queue when its redrive policy says
    so: also what can never become valid is kept there, for somebody to look at.
    """
    messages = [
        Message(
            "SQS",
            record["messageId"],
            _find_key(record.get("messageAttributes"), "stringValue", record["messageId"]),
            _text(record["body"]),
        )
        for record in records
    ]
    return report(submit_messages(messages, services))


def take_topic(records: Iterable[Record], services: Services) -> dict[str, Any]:
    """Submit the notifications of SNS.

    Raises:
        NotAccepted: some were not accepted; the others are on the queue.
    """
    notes = [record["Sns"] for record in records]
    messages = [
        Message(
            "SNS",
            note["MessageId"],
            _find_key(note.get("MessageAttributes"), "Value", note["MessageId"]),
            _text(note["Message"]),
        )
        for note in notes
    ]
    if failed := submit_messages(messages, services):
        raise NotAccepted(f"Not accepted: {', '.join(failed)}; the log says why.")
    return {"accepted": len(messages)}


def submit_messages(messages: Iterable[Message], services: Services) -> list[str]:
    """Put what is valid on the queue, and give the names of the messages that are not on it.

    Raises:
        LedgerUnavailable, QueueFull: none is known to be on it.
    """
    failed: list[str] = []
    valid: list[tuple[Message, Submission]] = []
    for message in messages:
        try:
            valid.append((message, Submission(_read(message, services))))
        except (MinequeueError, Problem) as error:
            _refuse(message, error, services)
            failed.append(message.name)
    results = services.intake.queue_together([submission for _, submission in valid])
    for (message, _), result in zip(valid, results, strict=True):
        if result is not SubmitResult.ACCEPTED:
            _refuse(message, QueueFull(), services)
            failed.append(message.name)
    return failed


def report(failed: Iterable[str]) -> dict[str, Any]:
    """What AWS is told of a batch of which it takes back only what failed."""
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}


def _find_key(attributes: Mapping[str, Any] | None, value: str, name: str) -> str | None:
    """The key that the sender gave, or ``name``; None where the former cannot be used."""
    if not attributes or _KEY not in attributes:
        return name
    key = attributes[_KEY].get(value)
    return key if isinstance(key, str) and is_key(key) else None


def _read(message: Message, services: Services) -> list[Transaction]:
    if message.key is None:
        raise bad_key()
    found = services.intake.read_json(message.read(), make_nonces(message.key))
    if isinstance(found, Transaction):
        return [found]
    transactions: list[Transaction] = []
    for position, outcome in enumerate(found):
        if isinstance(outcome, MinequeueError):
            raise InvalidTransaction(f"entry {position}: {outcome}")
        transactions.append(outcome)
    return transactions


def _text(text: str) -> Callable[[], bytes]:
    # a lone surrogate, which JSON can hold and UTF-8 cannot, is for the reader to refuse
    return lambda: text.encode("utf-8", "surrogatepass")


def _refuse(message: Message, error: MinequeueError | Problem, services: Services) -> None:
    problem = error if isinstance(error, Problem) else of_error(error)
    services.refusals.count(problem.slug)
    _log.error("%s %s is not accepted (%s): %s", message.source, message.name, problem.slug, error)
