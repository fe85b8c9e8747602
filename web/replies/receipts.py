"""Receipts: what a client gets for what was accepted, to the byte the same however often."""

from collections.abc import Sequence

import msgspec
from flask import Response

from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger import Submission
from minequeue.chain.protocol.transaction import Transaction
from minequeue.web.replies.answers import answer_json
from minequeue.web.replies.problems import of_error

KNOWN = "Known-Transactions"
# written and not encoded: an id is hex digits, and a batch has ten thousand receipts
_RECEIPT = (
    '{"message":"The transaction is on disk and will be in a block.","id":"%(id)s",'
    '"status":"pending","links":{"self":"/transactions/%(id)s",'
    '"proof":"/transactions/%(id)s/proof"}}'
)


def path_of(transaction: Transaction) -> str:
    """Where its status is read."""
    return f"/transactions/{transaction.id}"


def describe_known(submission: Submission) -> tuple[str, str]:
    """The header that tells how much was there already; a receipt is the same as the first time."""
    return KNOWN, str(sum(submission.known))


def write_receipt(transaction: Transaction) -> bytes:
    """The receipt of one transaction, JSON."""
    return (_RECEIPT % {"id": transaction.id}).encode()


def write_receipts(outcomes: Sequence[Transaction | MinequeueError]) -> bytes:
    """The answer to a batch, JSON: for each entry its receipt, or why it was refused."""
    return b"[%b]" % b",".join(map(_write_outcome, outcomes))


def answer_queued(job: str, message: str) -> Response:
    """The answer to a request that waits as a job of this id."""
    path = f"/jobs/{job}"
    receipt = {"message": message, "id": job, "status": "queued", "links": {"self": path}}
    return answer_json(receipt, 202, {"Location": path})


def _write_outcome(outcome: Transaction | MinequeueError) -> bytes:
    if isinstance(outcome, Transaction):
        return write_receipt(outcome)
    return msgspec.json.encode({"status": "refused", "problem": of_error(outcome).to_dict()})
