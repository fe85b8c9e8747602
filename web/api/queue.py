"""GET /queue: how much waits, how long it will take, and who works on it. What scalers read."""

from flask import Blueprint, Response

from minequeue.chain.scaling import backlog
from minequeue.web.replies.answers import answer_json
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.schemas import QueueState
from minequeue.web.services import services
from minequeue.web.warnings import list_warnings

blueprint = Blueprint("queue", __name__)
# of a line of 54 bytes, the shortest, to its entry of 170: with its id, and the entry's own head
_MAX_GROWTH = 4


@blueprint.get("/queue")
@describe(Reply(200, "The state of the queue.", QueueState))
def read_queue() -> Response:
    """The state of the queue; at depth 0 every accepted transaction is in a block."""
    ledger = services().ledger
    reading, decision = ledger.queue.look(services().policy)
    return answer_json(
        {
            "depth": reading.depth,
            "pending_transactions": reading.pending,
            "pending_bytes": reading.pending_bytes,
            "mine_requests": reading.mine_requests,
            "oldest_age_s": reading.oldest_age_s,
            "backlog_hashes": backlog.calculate_hashes(reading, ledger.rules),
            "estimated_drain_s": backlog.estimate_drain_s(reading, ledger.rules),
            "hash_rate": backlog.estimate_rate(reading),
            "miners": reading.fleet,
            "miners_busy": reading.miners,
            "miners_wanted": decision.wanted,
            "kernels": reading.kernels,
            "warnings": list_warnings(reading, ledger),
            "bits": ledger.rules.bits,
            "limits": {
                # a batch is taken whole or not at all, so a larger one than may wait never is
                "batch": min(services().limits.batch, ledger.bounds.pending),
                "body_bytes": min(
                    services().limits.body_bytes, max(1, ledger.bounds.pending_bytes // _MAX_GROWTH)
                ),
            },
            "tip": {"index": reading.tip.index, "hash": reading.tip.hash.hex()},
        },
        headers={"Cache-Control": "no-store"},
    )
