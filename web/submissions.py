"""POST /chain/new: transactions are put on the queue, and each gets a receipt."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from hashlib import sha256
from typing import TypeAlias

from flask import Blueprint, Response, request

from chain.errors import (
    IdempotencyKeyReused,
    InvalidTransaction,
    MalformedJson,
    MinequeueError,
    QueueFull,
)
from chain.ledger import Submission, Verdict
from chain.protocol import fast_transactions as plain_transactions
from chain.protocol import strict_json
from chain.protocol.strict_json import Json
from chain.protocol.transaction import Transaction, accept_submission
from web import request_ids
from web.answers import JSON, Answer
from web.described import Body, Reply, described
from web.following import following
from web.needs import needs
from web.nonces import NonceSource
from web.parameters import IDEMPOTENCY_KEY, REQUEST_ID
from web.problems import Problem, of_error
from web.reading import reserve
from web.receipts import path_of, write_receipt, write_receipts
from web.requests import (
    NDJSON,
    KnownByOldKey,
    read_body,
    read_idempotency_key,
    read_kind,
    too_large,
)
from web.schemas import Receipt, Refused
from web.schemas import Submission as SubmissionSchema
from web.services import Services, services
from web.tokens import Token

blueprint = Blueprint("submissions", __name__)
KNOWN = "Known-Transactions"
_drawn = NonceSource()
Outcomes: TypeAlias = Sequence[Transaction | MinequeueError]


@blueprint.post("/chain/new")
@described(
    Reply(
        202,
        "On disk, and will be in exactly one block: a receipt, or for a batch one for each entry.",
        {"anyOf": [Receipt, {"type": "array", "items": {"anyOf": [Receipt, Refused]}}]},
        headers={
            "Location": "Where the status of a single transaction is read.",
            KNOWN: "How many of the transactions were known already, and were not added again.",
        },
    ),
    problems=(400, 422),
    parameters=[IDEMPOTENCY_KEY, REQUEST_ID],
    body=Body(
        {
            JSON: {"anyOf": [SubmissionSchema, {"type": "array", "items": SubmissionSchema}]},
            NDJSON: {"type": "string"},
        },
        "One transaction, an array of them, or one a line.",
        {"sender": "alice", "recipient": "bob", "amount": 5},
    ),
)
@needs("submit")
def submit() -> Response:
    """Queue one transaction, or each of a batch."""
    at = services()
    token = at.doors.admit(request.environ, "submit")
    key, old_key = read_idempotency_key()
    is_lines = read_kind(JSON, NDJSON) == NDJSON
    body = read_body(at.limits.body_bytes)

    def read(key: str | None) -> Transaction | Outcomes:
        name = make_nonces(key)
        return read_lines(_split(body), name, at) if is_lines else read_json(body, name, at)

    try:
        return _accept_all(read(key), key, old_key, token, at)
    except KnownByOldKey:
        pass
    try:  # the limits of the token have counted it
        return _accept_all(read(old_key), old_key, None, None, at)
    except IdempotencyKeyReused:  # by another request, which may be another token's
        return _accept_all(read(key), key, None, None, at)


def _accept_all(
    outcomes: Transaction | Outcomes,
    key: str | None,
    old_key: str | None,
    token: Token | None,
    at: Services,
) -> Response:
    """Queue what was read, counted against the limits of ``token``, and answer."""
    if isinstance(outcomes, Transaction):
        with _following([outcomes]):
            at.doors.take(token, entries=1)
            submission = Submission([outcomes], key, old_key)
            queue(submission, at)
        headers = [("Location", path_of(outcomes)), describe_known(submission)]
        return Answer(write_receipt(outcomes), 202, headers)
    reserve(len(outcomes))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Transaction)]
    if not accepted:
        raise _all_refused(outcomes)
    with _following(accepted):
        at.doors.take(token, entries=len(accepted))
        submission = Submission(accepted, key, old_key)
        queue(submission, at)
    if len(accepted) < len(outcomes):
        at.refusals.count("entry-of-a-batch", len(outcomes) - len(accepted))
    return Answer(write_receipts(outcomes), 202, [describe_known(submission)])


def describe_known(submission: Submission) -> tuple[str, str]:
    """The header that tells how much was there already; a receipt is the same as the first time."""
    return KNOWN, str(sum(submission.known))


def _following(accepted: Sequence[Transaction]) -> AbstractContextManager[None]:
    last = accepted[-1].id  # the queue keeps the order, so where it is, all that came with it is
    return following(bytes.fromhex(last), last[: request_ids.DIGITS], len(accepted))


def read_json(body: bytes, name: Callable[[int], str], at: Services) -> Transaction | Outcomes:
    """The transaction that ``body`` is, or what became of each entry of the array that it is.

    Args:
        body: one JSON text.
        name: gives the nonce of the entry at a position, where it has none.
        at: the network's rules and the limits.

    Raises:
        MalformedJson, InvalidTransaction: it is no array, and no transaction either.
        Problem: the array is empty or too long.
    """
    signed = at.ledger.rules.signed
    plain = None if signed else _read_plain(body, name, at)
    if plain:
        return plain
    value = strict_json.loads(body)
    if isinstance(value, list):
        return _accept_each(value, name, at)
    return accept_submission(value, partial(name, 0), signed=signed)


def _read_plain(
    body: bytes, name: Callable[[int], str], at: Services
) -> Transaction | Sequence[Transaction] | None:
    return plain_transactions.read_one(body, name) or plain_transactions.read_array(
        body, name, most=at.limits.batch
    )


def _split(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]


def read_lines(lines: Sequence[bytes], name: Callable[[int], str], at: Services) -> Outcomes:
    """As :func:`read_json`, of a JSON text a line; what became of each.

    Raises:
        Problem: there are none or too many.
    """
    plain = None
    if not at.ledger.rules.signed:
        plain = plain_transactions.read_lines(lines, name, most=at.limits.batch)
    return plain or _accept_each([_read_line(line) for line in lines], name, at)


def _read_line(line: bytes) -> Json | MalformedJson:
    try:
        return strict_json.loads(line)
    except MalformedJson as error:
        return error


def _accept_each(
    entries: list[Json | MalformedJson], name: Callable[[int], str], at: Services
) -> Outcomes:
    """Make a transaction of each entry, or say why not; what could not be read is its error."""
    most = at.limits.batch
    if len(entries) > most:
        raise too_large(f"A batch has at most {most} entries; this one has {len(entries)}.")
    if not entries:
        raise Problem(400, "empty-batch", "Empty batch", "Send at least one transaction.")
    signed = at.ledger.rules.signed
    return [
        _accept(entry, partial(name, position), signed=signed)
        for position, entry in enumerate(entries)
    ]


def _accept(
    entry: Json | MalformedJson, default_nonce: Callable[[], str], *, signed: bool
) -> Transaction | MinequeueError:
    if isinstance(entry, MalformedJson):
        return entry
    try:
        return accept_submission(entry, default_nonce, signed=signed)
    except InvalidTransaction as error:
        return error


def queue(submission: Submission, at: Services) -> None:
    """Put ``submission`` on the queue and tell the workers.

    Raises:
        KnownByOldKey, IdempotencyKeyReused, QueueFull, LedgerUnavailable: nothing is known to be
            on it.
    """
    verdict = at.combiner.submit(submission)
    if verdict is Verdict.OLD_KEY:
        raise KnownByOldKey
    if verdict is Verdict.KEY_REUSED:
        raise IdempotencyKeyReused
    if verdict is Verdict.FULL:
        raise QueueFull
    at.wake_miners()


def queue_together(submissions: Sequence[Submission], at: Services) -> list[Verdict]:
    """Put each of ``submissions`` on the queue if there is room for it, and tell the workers.

    Raises:
        LedgerUnavailable: nothing is known to be on it.
        QueueFull: the server's memory is used up; nothing is on it.
    """
    verdicts = at.ledger.mempool.submit(submissions)
    if Verdict.ACCEPTED in verdicts:
        at.wake_miners()
    return verdicts


def make_nonces(key: str | None) -> Callable[[int], str]:
    """What gives a nonce to the entry at a position: with a key always the same one."""
    if key is None:
        return lambda _: _drawn.draw()
    return lambda position: sha256(f"{position}:{key}".encode()).hexdigest()[:32]


def _all_refused(outcomes: Outcomes) -> Problem:
    refusals = [
        of_error(outcome).as_json() for outcome in outcomes if isinstance(outcome, MinequeueError)
    ]
    return Problem(
        400,
        "invalid-batch",
        "Invalid batch",
        "None of the entries is a valid transaction; errors tells why, one by one.",
        errors=[{"index": index, **refusal} for index, refusal in enumerate(refusals)],
    )
