"""Probes: is the process alive, and can it accept work?"""

from flask import Blueprint, Response

from minequeue.web.replies.answers import answer_json
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.schemas import Health
from minequeue.web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/health/live")
@describe(Reply(200, "It lives.", Health), reads_ledger=False)
def live() -> Response:
    """The process answers; says nothing of the ledger, whose absence no restart mends."""
    return answer_json({"status": "live"})


@blueprint.get("/health/ready")
@describe(Reply(200, "It is ready.", Health))
def ready() -> Response:
    """The ledger answers, and so would a submission; 503 otherwise."""
    services().ledger.blocks.tip()
    return answer_json({"status": "ready"})
