"""GET or POST /chain/mine, and /jobs: mine requests are queued, a job tells what came of each."""

import uuid
from contextlib import suppress
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response

from minequeue.chain.errors import QueueFull
from minequeue.chain.ledger import MinedBy, Pending, ResolveResult, SubmitResult
from minequeue.web.http.parameters import IDEMPOTENCY_KEY, PREFER, REQUEST_ID, in_path
from minequeue.web.http.requests import parse_hex, read_idempotency_key, validate_method
from minequeue.web.http.scopes import require_scope
from minequeue.web.http.streams import bound
from minequeue.web.http.tracking import tracking
from minequeue.web.http.waiting import wait_for
from minequeue.web.intake.submissions import KnownByOldKey
from minequeue.web.replies.answers import answer_json
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.problems import Problem, not_found
from minequeue.web.replies.receipts import answer_queued
from minequeue.web.replies.schemas import JobReceipt, JobState, MinedBlock
from minequeue.web.services import services

blueprint = Blueprint("mining", __name__)
_JOB_BYTES = 16


@blueprint.route("/chain/mine", methods=["GET", "POST"])
@blueprint.route("/mine", methods=["GET", "POST"])
@describe(
    Reply(
        200,
        "The block, if the request waited for it.",
        MinedBlock,
        headers={
            "Preference-Applied": "The answer was delayed.",
            "Content-Location": "Where the block is read.",
        },
    ),
    Reply(
        202,
        "On disk, and will make one block.",
        JobReceipt,
        headers={"Location": "Where the job is read."},
    ),
    problems=(400, 404),
    parameters=[IDEMPOTENCY_KEY, PREFER, REQUEST_ID],
)
@require_scope("mine")
def mine() -> Response:
    """Queue a mine request; with ``Prefer: wait=N``, wait for its block."""
    validate_method()
    key, old_key = read_idempotency_key()
    job, old_job = _name_job(key), _name_job(old_key) if old_key else ""
    try:
        _request(job, old_job)
    except KnownByOldKey:
        job = old_job
        _request(job)
    services().intake.wake_miners()
    mined = wait_for(lambda: services().ledger.blocks.locate_job(job))
    if isinstance(mined, MinedBy):
        answer = _answer_block(mined, job)
        with suppress(Problem):  # there is no slot for a large block; its job leads there
            return bound(answer)
    return answer_queued(job, "The mine request is on disk and will make one block.")


@blueprint.get("/jobs/<job>")
@describe(
    Reply(200, "The state of the job.", JobState),
    problems=(404,),
    parameters=[in_path("job", "The job's id.", "^[0-9a-f]{32}$", "0" * 32)],
)
def read_job(job: str) -> Response:
    """The state of a mine request, or of a request to resolve conflicts."""
    if parse_hex(job, _JOB_BYTES):
        if known := services().ledger.blocks.locate_job(job):
            return _answer_mine_job(job, known)
        if outcome := services().ledger.peers.find_result(job):
            return _answer_resolve_job(job, outcome)
    raise not_found("Unknown job. Its id is in the answer to the request that made it.")


def _answer_resolve_job(job: str, outcome: ResolveResult | Pending) -> Response:
    answer: dict[str, Any] = {"id": job, "kind": "resolve", "links": {"self": f"/jobs/{job}"}}
    if isinstance(outcome, ResolveResult):
        answer["status"] = "done"
        answer |= {
            "replaced": outcome.replaced,
            "peers_asked": outcome.peers,
            "peers_at_fault": outcome.faults,
        }
    else:
        answer["status"] = "queued"
    return answer_json(answer)


def _answer_mine_job(job: str, known: MinedBy | Pending) -> Response:
    answer: dict[str, Any] = {"id": job, "kind": "mine", "links": {"self": f"/jobs/{job}"}}
    if isinstance(known, MinedBy):
        answer["status"] = "done"
        answer["block"] = {"index": known.index, "hash": known.hash}
        answer["links"]["block"] = f"/chain/blocks/{known.hash}"
        # its transactions wait again if a heavier chain took over; the request was served
        digest = bytes.fromhex(known.hash)
        answer["on_best_chain"] = services().ledger.blocks.find_index(digest) is not None
    else:
        candidate = services().ledger.queue.read().candidate
        answer["status"] = "mining" if candidate and candidate.job == job else "queued"
    return answer_json(answer)


def _request(job: str, old_job: str = "") -> None:
    with tracking(job.encode(), job, 0):
        result = services().ledger.mempool.request_mine(job, old_job)
        if result is SubmitResult.OLD_KEY:
            raise KnownByOldKey
        if result is SubmitResult.FULL:
            raise QueueFull


def _name_job(key: str | None) -> str:
    """The job's id: drawn, or the same whenever the request is repeated with its key."""
    if key is None:
        return uuid.uuid4().hex
    return sha256(f"mine:{key}".encode()).hexdigest()[: 2 * _JOB_BYTES]


def _answer_block(mined: MinedBy, job: str) -> Response:
    block = services().ledger.blocks.read_block(mined.index)
    if block is None or block.header.hash.hex() != mined.hash:
        raise not_found("The block is no longer on the best chain. Request another.")
    body = b'{"message":"A new block is mined.","job":"%b",%b' % (job.encode(), block.to_json()[1:])
    return Response(
        body,
        200,
        headers={"Preference-Applied": "wait", "Content-Location": f"/chain/blocks/{mined.hash}"},
        content_type="application/json",
    )
