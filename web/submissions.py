"""POST /chain/new: transactions are put on the queue, and each gets a receipt."""

import secrets
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, request

from chain import strict_json
from chain.errors import (
    IdempotencyKeyReused,
    InvalidTransaction,
    MalformedJson,
    MinequeueError,
    QueueFull,
)
from chain.ledger import Submission, Verdict
from chain.strict_json import Json
from chain.transaction import Transaction, accept_submission
from web.answers import answer_json
from web.problems import Problem, of_error
from web.requests import NDJSON, read_body, read_idempotency_key, too_large
from web.services import services

blueprint = Blueprint("submissions", __name__)


@blueprint.post("/chain/new")
def submit() -> Response:
    """Queue one transaction, or each of a batch."""
    key = read_idempotency_key()
    body = read_body()
    if request.mimetype == NDJSON:
        return _submit_batch(_read_lines(body), key)
    value = strict_json.loads(body)
    if isinstance(value, list):
        return _submit_batch(value, key)
    transaction = accept_submission(value, _nonce_maker(key, 0))
    _queue([transaction], key)
    return answer_json(_receipt(transaction), 202, {"Location": _path(transaction)})


def _submit_batch(entries: list[Json | MalformedJson], key: str | None) -> Response:
    """Queue the valid ones among ``entries``; what could not be read stands as its error."""
    most = services().limits.batch
    if len(entries) > most:
        raise too_large(f"A batch has at most {most} entries; this one has {len(entries)}.")
    if not entries:
        raise Problem(400, "empty-batch", "Empty batch", "Send at least one transaction.")
    outcomes = list(_accept_each(entries, key))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Transaction)]
    if not accepted:
        raise _all_refused(outcomes)
    _queue(accepted, key)
    return answer_json([_receipt_or_refusal(outcome) for outcome in outcomes], 202)


def _accept_each(
    entries: list[Json | MalformedJson], key: str | None
) -> Iterator[Transaction | MinequeueError]:
    for position, entry in enumerate(entries):
        if isinstance(entry, MalformedJson):
            yield entry
            continue
        try:
            yield accept_submission(entry, _nonce_maker(key, position))
        except InvalidTransaction as error:
            yield error


def _queue(transactions: list[Transaction], key: str | None) -> None:
    verdict = services().combiner.submit(Submission(transactions, key))
    if verdict is Verdict.KEY_REUSED:
        raise IdempotencyKeyReused
    if verdict is Verdict.FULL:
        raise QueueFull
    services().wake_miners()


def _read_lines(body: bytes) -> list[Json | MalformedJson]:
    """Each line's JSON value, or its error; blank lines do not count."""
    return [_read_line(line) for line in body.split(b"\n") if line.strip()]


def _read_line(line: bytes) -> Json | MalformedJson:
    try:
        return strict_json.loads(line)
    except MalformedJson as error:
        return error


def _nonce_maker(key: str | None, position: int) -> Callable[[], str]:
    """Give a nonce to a transaction without one: the same whenever the request is repeated."""
    if key is None:
        return lambda: secrets.token_hex(16)
    return lambda: sha256(f"{position}:{key}".encode()).hexdigest()[:32]


def _path(transaction: Transaction) -> str:
    return f"/transactions/{transaction.id}"


def _receipt(transaction: Transaction) -> dict[str, Any]:
    """What a client gets for an accepted transaction, to the byte the same however often."""
    path = _path(transaction)
    return {
        "message": "The transaction is on disk and will be in a block.",
        "id": transaction.id,
        "status": "pending",
        "links": {"self": path, "proof": f"{path}/proof"},
    }


def _receipt_or_refusal(outcome: Transaction | MinequeueError) -> dict[str, Any]:
    if isinstance(outcome, Transaction):
        return _receipt(outcome)
    return {"status": "refused", "problem": of_error(outcome).as_json()}


def _all_refused(outcomes: list[Transaction | MinequeueError]) -> Problem:
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
