"""GET /addresses?name=: what an address sent and received, for people."""

import re

from flask import Blueprint, Response, request

from minequeue.chain.ledger import ChainPosition, find_transactions_of
from minequeue.chain.protocol.transaction import MAX_ADDRESS
from minequeue.web.http.requests import parse_number
from minequeue.web.http.streams import hold_slot
from minequeue.web.pages.rendering import HTML, page_reply, refusals, render
from minequeue.web.replies.describe import Parameter, Reply, describe
from minequeue.web.replies.problems import bad_parameter
from minequeue.web.services import services

blueprint = Blueprint("address_page", __name__)
_SHOWN = 50  # transactions on one page
_SPOT = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})", re.ASCII)


@blueprint.get("/addresses")
@describe(
    page_reply("Its newest transactions, or those before a place."),
    Reply(429, "Too many clients are reading.", {"type": "string"}, HTML),
    *refusals(400),
    parameters=[
        Parameter(
            "name",
            "query",
            "The address.",
            {"type": "string", "minLength": 1, "maxLength": MAX_ADDRESS},
            "alice",
            is_required=True,
        ),
        Parameter(
            "before",
            "query",
            "Where to continue: a block's index, a point, a position.",
            {"type": "string", "pattern": r"^[0-9]{1,15}\.[0-9]{1,15}$"},
            "17.3",
        ),
    ],
    reads_ledger=False,
)
def read_page() -> Response:
    """What an address sent and received, for people."""
    name = request.args.get("name", "")
    if not 1 <= len(name) <= MAX_ADDRESS:
        raise bad_parameter("name", f"name must be an address of 1 to {MAX_ADDRESS} characters.")
    blocks = services().ledger.blocks
    before = _read_before() or ChainPosition(blocks.tip().header.index + 1, 0)
    with hold_slot():
        found = find_transactions_of(blocks, name, before=before, most=_SHOWN)
    return render("address.html", name=name, found=found)


def _read_before() -> ChainPosition | None:
    text = request.args.get("before")
    if text is None:
        return None
    found = _SPOT.fullmatch(text)
    numbers = [parse_number(part) for part in found.groups()] if found else []
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:  # noqa: PLR2004  # a pair
        raise bad_parameter("before", "before must be a block's index, a point and a position.")
    return ChainPosition(numbers[0], numbers[1])
