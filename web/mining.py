"""GET or POST /chain/mine, and /jobs: mine requests are queued, a job tells what came of each."""

import uuid
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from chain.errors import QueueFull
from chain.ledger import MinedBy, Verdict
from web.answers import answer_json
from web.problems import not_found
from web.requests import parse_hex, read_idempotency_key, read_wait_s
from web.services import services

blueprint = Blueprint("mining", __name__)
_JOB_BYTES = 16


@blueprint.route("/chain/mine", methods=["GET", "POST"])
@blueprint.route("/mine", methods=["GET", "POST"])
def mine() -> Response:
    """Queue a mine request; with ``Prefer: wait=N``, wait for its block."""
    if request.method == "HEAD":
        # werkzeug adds HEAD to GET; a look at the headers must not make a block
        raise MethodNotAllowed(["GET", "POST"])
    job = _name_job(read_idempotency_key())
    if services().ledger.mempool.request_mine(job) is Verdict.FULL:
        raise QueueFull
    services().wake_miners()
    wait_s = read_wait_s()
    mined = _wait_for(job, wait_s) if wait_s else None
    if mined is not None:
        return _answer_block(mined, job)
    return answer_json(
        {
            "message": "The mine request is on disk and will make one block.",
            "id": job,
            "status": "queued",
            "links": {"self": f"/jobs/{job}"},
        },
        202,
        {"Location": f"/jobs/{job}"},
    )


@blueprint.get("/jobs/<job>")
def read_job(job: str) -> Response:
    """Tell what became of a mine request."""
    known = parse_hex(job, _JOB_BYTES) and services().ledger.blocks.locate_job(job)
    if not known:
        raise not_found("There is no such job; its id comes with the answer to a mine request.")
    answer: dict[str, Any] = {"id": job, "kind": "mine", "links": {"self": f"/jobs/{job}"}}
    if isinstance(known, MinedBy):
        answer["status"] = "done"
        answer["block"] = {"index": known.index, "hash": known.hash}
        answer["links"]["block"] = f"/chain/blocks/{known.hash}"
    else:
        candidate = services().ledger.queue.read().candidate
        answer["status"] = "mining" if candidate and candidate.job == job else "queued"
    return answer_json(answer)


def _name_job(key: str | None) -> str:
    """The job's id: drawn, or the same whenever the request is repeated with its key."""
    if key is None:
        return uuid.uuid4().hex
    return sha256(f"mine:{key}".encode()).hexdigest()[: 2 * _JOB_BYTES]


def _wait_for(job: str, wait_s: int) -> MinedBy | None:
    """Wait for the job's block; None where it takes longer, or too many wait already."""
    ledger, limits = services().ledger, services().limits

    def find() -> MinedBy | None:
        place = ledger.blocks.locate_job(job)
        return place if isinstance(place, MinedBy) else None

    with services().waiting_room.enter() as entered:
        if entered:
            ledger.announcements.wait_until(lambda: find() is not None, min(wait_s, limits.wait_s))
    return find()


def _answer_block(mined: MinedBy, job: str) -> Response:
    block = services().ledger.blocks.read_block(mined.index)
    if block is None:
        raise not_found("The block is no longer on the best chain.")
    body = b'{"message":"A new block is mined.","job":"%b",%b' % (job.encode(), block.as_json()[1:])
    return Response(
        body,
        200,
        headers={"Preference-Applied": "wait", "Content-Location": f"/chain/blocks/{mined.hash}"},
        content_type="application/json",
    )
