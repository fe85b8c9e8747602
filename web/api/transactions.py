"""GET /transactions/<id>: where a transaction is, and the proof that it is there."""

from typing import Any

import msgspec
from flask import Blueprint, Response

from minequeue.chain.ledger import Location, Pending
from minequeue.chain.protocol import merkle
from minequeue.web.http.parameters import in_path
from minequeue.web.http.requests import parse_hex
from minequeue.web.replies.answers import answer_json
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.problems import Problem, not_found
from minequeue.web.replies.schemas import Proof, TransactionState
from minequeue.web.services import services

blueprint = Blueprint("transactions", __name__)
_ID_BYTES = 32
_ID = in_path("transaction_id", "Its id.", "^[0-9a-f]{64}$", "0" * 64)


@blueprint.get("/transactions/<transaction_id>")
@describe(Reply(200, "Its status and place.", TransactionState), problems=(404,), parameters=[_ID])
def read_transaction(transaction_id: str) -> Response:
    """Status and place of a transaction."""
    place = _locate(transaction_id)
    path = f"/transactions/{transaction_id}"
    answer: dict[str, Any] = {
        "id": transaction_id,
        "status": "pending",
        "links": {"self": path, "proof": f"{path}/proof"},
    }
    if isinstance(place, Location):
        digest = place.header.hash.hex()
        answer["status"] = "mined"
        answer["block"] = {"index": place.header.index, "hash": digest}
        answer["position"] = place.position
        answer["links"]["block"] = f"/chain/blocks/{digest}"
    return answer_json(answer)


@blueprint.get("/transactions/<transaction_id>/proof")
@describe(Reply(200, "The Merkle path.", Proof), problems=(404, 409), parameters=[_ID])
def prove_transaction(transaction_id: str) -> Response:
    """The Merkle path (RFC 6962) from a mined transaction to its block's header."""
    place = _locate(transaction_id)
    if isinstance(place, Pending):
        raise Problem(
            409,
            "not-mined-yet",
            "Not mined yet",
            "The transaction is pending. Ask for its proof when it is in a block.",
            headers={"Retry-After": "1"},
        )
    block = services().ledger.blocks.read_block(place.header.index)
    if block is None or block.header != place.header:
        raise not_found("The block is no longer on the best chain. Repeat the request.")
    leaves = block.leaves
    return answer_json(
        {
            "id": transaction_id,
            "transaction": msgspec.Raw(leaves[place.position]),
            "leaf_index": place.position,
            "tree_size": len(leaves),
            "path": [node.hex() for node in merkle.calculate_path(leaves, place.position)],
            "merkle_root": block.header.merkle_root.hex(),
            "block": block.header.to_dict(),
        }
    )


def _locate(transaction_id: str) -> Location | Pending:
    known = parse_hex(transaction_id, _ID_BYTES)
    place = None if known is None else services().ledger.blocks.locate_transaction(known)
    if place is None:
        raise not_found("Unknown transaction. An id has 64 lower-case hex digits.")
    return place
