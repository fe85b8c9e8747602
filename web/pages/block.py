"""GET /blocks/<index or hash>: a block for people."""

from typing import Any

import msgspec
from flask import Blueprint, Response

from web.described import Parameter, described
from web.pages.rendering import page_reply, refusals, render
from web.parameters import in_path
from web.problems import not_found
from web.requests import parse_hex, parse_number, read_number
from web.services import services

blueprint = Blueprint("block_page", __name__)
_HASH_BYTES = 32
_SHOWN = 100  # transactions on one page


@blueprint.get("/blocks/<name>")
@described(
    page_reply("The block."),
    *refusals(400, 404),
    parameters=[
        in_path("name", "Its index, or its hash.", "^([1-9][0-9]{0,14}|[0-9a-f]{64})$", "1"),
        Parameter(
            "from", "query", "The first position shown.", {"type": "integer", "minimum": 0}, 0
        ),
    ],
    reads_ledger=False,
)
def read_page(name: str) -> Response:
    """A block, for people."""
    blocks = services().ledger.blocks
    digest = parse_hex(name, _HASH_BYTES)
    index = parse_number(name) if digest is None else blocks.find_index(digest)
    block = blocks.read_block(index) if index else None
    if block is None:
        raise not_found("There is no such block; name it by an index from 1, or by its hash.")
    fields: list[dict[str, Any]] = msgspec.json.decode(block.body)
    first = read_number("from", 0, least=0, most=max(0, len(fields) - 1))
    return render(
        "block.html",
        block=block.header.as_json(),
        transactions=fields[first : first + _SHOWN],
        first=first,
        count=len(fields),
        shown=_SHOWN,
        tip=blocks.tip().header.index,
    )
