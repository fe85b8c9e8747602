"""POST /chain/new: transactions are put on the queue, and each gets a receipt."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from flask import Blueprint, Response, request

from minequeue.chain.errors import IdempotencyKeyReused, MinequeueError
from minequeue.chain.ledger import Submission
from minequeue.chain.protocol.transaction import Transaction
from minequeue.web.guard.tokens import Token
from minequeue.web.http import request_ids
from minequeue.web.http.parameters import IDEMPOTENCY_KEY, REQUEST_ID
from minequeue.web.http.requests import (
    NDJSON,
    read_body,
    read_idempotency_key,
    read_kind,
)
from minequeue.web.http.scopes import require_scope
from minequeue.web.http.streams import reserve
from minequeue.web.http.tracking import tracking
from minequeue.web.intake.submissions import KnownByOldKey, Outcomes, make_nonces
from minequeue.web.replies.answers import JSON, Answer
from minequeue.web.replies.describe import Body, Reply, describe
from minequeue.web.replies.problems import Problem, of_error
from minequeue.web.replies.receipts import (
    KNOWN,
    describe_known,
    path_of,
    write_receipt,
    write_receipts,
)
from minequeue.web.replies.schemas import Receipt, Refused
from minequeue.web.replies.schemas import Submission as SubmissionSchema
from minequeue.web.services import services

blueprint = Blueprint("submissions", __name__)


@blueprint.post("/chain/new")
@describe(
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
@require_scope("submit")
def submit() -> Response:
    """Queue one transaction, or each of a batch."""
    token = services().access.authenticate(request.environ, "submit")
    key, old_key = read_idempotency_key()
    is_lines = read_kind(JSON, NDJSON) == NDJSON
    body = read_body(services().limits.body_bytes)

    def read(key: str | None) -> Transaction | Outcomes:
        nonces = make_nonces(key)
        if is_lines:
            return services().intake.read_lines(_split(body), nonces)
        return services().intake.read_json(body, nonces)

    try:
        return _accept_all(read(key), key, old_key, token)
    except KnownByOldKey:
        pass
    try:  # the limits of the token have counted it
        return _accept_all(read(old_key), old_key, None, None)
    except IdempotencyKeyReused:  # by another request, which may be another token's
        return _accept_all(read(key), key, None, None)


def _accept_all(
    outcomes: Transaction | Outcomes,
    key: str | None,
    old_key: str | None,
    token: Token | None,
) -> Response:
    """Queue what was read, counted against the limits of ``token``, and answer."""
    if isinstance(outcomes, Transaction):
        with _following([outcomes]):
            services().access.charge(token, entries=1)
            submission = Submission([outcomes], key, old_key)
            services().intake.queue(submission)
        headers = [("Location", path_of(outcomes)), describe_known(submission)]
        return Answer(write_receipt(outcomes), 202, headers)
    reserve(len(outcomes))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Transaction)]
    if not accepted:
        raise _all_refused(outcomes)
    with _following(accepted):
        services().access.charge(token, entries=len(accepted))
        submission = Submission(accepted, key, old_key)
        services().intake.queue(submission)
    if len(accepted) < len(outcomes):
        services().refusals.count("entry-of-a-batch", len(outcomes) - len(accepted))
    return Answer(write_receipts(outcomes), 202, [describe_known(submission)])


def _following(accepted: Sequence[Transaction]) -> AbstractContextManager[None]:
    last = accepted[-1].id  # the queue keeps the order, so where it is, all that came with it is
    return tracking(bytes.fromhex(last), last[: request_ids.DIGITS], len(accepted))


def _split(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]


def _all_refused(outcomes: Outcomes) -> Problem:
    refusals = [
        of_error(outcome).to_dict() for outcome in outcomes if isinstance(outcome, MinequeueError)
    ]
    return Problem(
        400,
        "invalid-batch",
        "Invalid batch",
        "No entry is a valid transaction; errors has the reason for each.",
        errors=[{"index": index, **refusal} for index, refusal in enumerate(refusals)],
    )
