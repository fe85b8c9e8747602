"""GET /blocks/<index or hash>: a block for people."""

from typing import Any

import msgspec
from flask import Blueprint, Response

from minequeue.web.http.blocks import NAME, find_block
from minequeue.web.http.requests import read_number
from minequeue.web.pages.rendering import page_reply, refusals, render
from minequeue.web.replies.describe import Parameter, describe
from minequeue.web.services import services

blueprint = Blueprint("block_page", __name__)
_SHOWN = 100  # transactions on one page


@blueprint.get("/blocks/<name>")
@describe(
    page_reply("The block."),
    *refusals(400, 404, 429),
    parameters=[
        NAME,
        Parameter(
            "from", "query", "The first position shown.", {"type": "integer", "minimum": 0}, 0
        ),
    ],
    reads_ledger=False,
)
def read_page(name: str) -> Response:
    """A block, for people."""
    block = find_block(name)
    fields: list[dict[str, Any]] = msgspec.json.decode(block.body)
    first = read_number("from", 0, least=0, most=max(0, len(fields) - 1))
    return render(
        "block.html",
        block=block.header.to_dict(),
        transactions=fields[first : first + _SHOWN],
        first=first,
        count=len(fields),
        shown=_SHOWN,
        tip=services().ledger.blocks.tip().header.index,
    )
