"""GET /tx/<id>: a transaction for people, with the proof that it is in its block."""

import msgspec
from flask import Blueprint, Response

from minequeue.chain.ledger import Pending
from minequeue.web.http.parameters import in_path
from minequeue.web.http.requests import parse_hex
from minequeue.web.pages.rendering import page_reply, refusals, render
from minequeue.web.replies.describe import describe
from minequeue.web.replies.problems import not_found
from minequeue.web.services import services

blueprint = Blueprint("transaction_page", __name__)
_ID_BYTES = 32


@blueprint.get("/tx/<transaction_id>")
@describe(
    page_reply("The transaction."),
    *refusals(404),
    parameters=[in_path("transaction_id", "Its id.", "^[0-9a-f]{64}$", "0" * 64)],
    reads_ledger=False,
)
def read_page(transaction_id: str) -> Response:
    """A transaction, for people."""
    blocks = services().ledger.blocks
    known = parse_hex(transaction_id, _ID_BYTES)
    place = None if known is None else blocks.locate_transaction(known)
    if place is None:
        raise not_found("Unknown transaction. An id has 64 lower-case hex digits.")
    if isinstance(place, Pending):
        return render("transaction.html", id=transaction_id, block=None)
    block = blocks.read_block(place.header.index)
    if block is None or block.header != place.header:
        return render("transaction.html", id=transaction_id, block=None)
    fields = msgspec.json.decode(block.leaves[place.position])
    contract = fields.get("contract")
    return render(
        "transaction.html",
        id=transaction_id,
        block=place.header.to_dict(),
        header=place.header.pack().hex(),
        position=place.position,
        fields=fields,
        contract=msgspec.json.format(msgspec.json.encode(contract)).decode() if contract else "",
    )
