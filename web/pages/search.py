"""GET /search?q=: the page of what somebody looks for, by an index, a hash, an id or an address."""

from urllib.parse import urlencode

from flask import Blueprint, Response, request

from minequeue.chain.protocol.transaction import MAX_ADDRESS
from minequeue.web.http.requests import parse_hex, parse_number
from minequeue.web.pages.rendering import HEADERS, refusals
from minequeue.web.replies.describe import Parameter, Reply, describe
from minequeue.web.replies.problems import bad_parameter
from minequeue.web.services import services

blueprint = Blueprint("search", __name__)
_HASH_BYTES = 32
_BLANKS = " \t\r\n"  # around what is pasted


@blueprint.get("/search")
@describe(
    Reply(303, "The page of the result.", headers={"Location": "The page."}),
    *refusals(400),
    parameters=[
        Parameter(
            "q",
            "query",
            "A block's index or hash, a transaction's id, or an address.",
            {"type": "string", "maxLength": MAX_ADDRESS, "pattern": f"[^{_BLANKS}]"},
            "1",
            is_required=True,
        )
    ],
    reads_ledger=False,
)
def search() -> Response:
    """Lead to a block, a transaction or an address."""
    text = request.args.get("q", "").strip(_BLANKS)
    if not 1 <= len(text) <= MAX_ADDRESS:
        raise bad_parameter(
            "q",
            "Search for a block's index or hash, a transaction's id, or an address of 1 to "
            f"{MAX_ADDRESS} characters.",
        )
    return Response(status=303, headers={**HEADERS, "Location": _find(text)})


def _find(text: str) -> str:
    """The page's path; what is nothing else is an address."""
    blocks = services().ledger.blocks
    if index := parse_number(text):
        if index <= blocks.tip().header.index:
            return f"/blocks/{index}"
    elif digest := parse_hex(text, _HASH_BYTES):
        if blocks.find_index(digest):
            return f"/blocks/{text}"
        if blocks.locate_transaction(digest):
            return f"/tx/{text}"
    return f"/addresses?{urlencode({'name': text})}"
