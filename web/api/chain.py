"""GET /chain and below: the chain, streamed, by page, by block, its headers and its tip."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from minequeue.chain.ledger import Blocks, Record
from minequeue.chain.protocol.block import Block
from minequeue.web.http.blocks import NAME, find_block
from minequeue.web.http.parameters import IF_NONE_MATCH, MAX_PAGE, page
from minequeue.web.http.requests import read_number
from minequeue.web.http.streams import PART_BYTES, stream
from minequeue.web.replies.answers import JSON, answer_json
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.schemas import Block as BlockSchema
from minequeue.web.replies.schemas import Chain, Headers, Tip
from minequeue.web.services import services

blueprint = Blueprint("chain", __name__)


@blueprint.get("/chain")
@describe(
    Reply(200, "The chain, or a page of it.", Chain, headers={"ETag": "Names the tip."}),
    Reply(304, "The client has the present chain.", headers={"ETag": "Names the tip."}),
    problems=(400, 429),
    parameters=[*page(MAX_PAGE), IF_NONE_MATCH],
)
def read_chain() -> Response:
    """The whole chain or a page of it, in constant memory."""
    tip = _blocks().tip()
    first, last = _read_page(tip, default=tip.header.index)
    etag = tip.header.hash.hex()
    if request.if_none_match.contains(etag):
        return Response(status=304, headers={"ETag": f'"{etag}"'})
    answer = _stream(b'{"chain":[', first, last, tip.header.index)
    answer.headers["ETag"] = f'"{etag}"'
    return answer


@blueprint.get("/chain/headers")
@describe(Reply(200, "A page of headers.", Headers), problems=(400, 429), parameters=page(MAX_PAGE))
def read_headers() -> Response:
    """A page of headers."""
    tip = _blocks().tip()
    first, last = _read_page(tip, default=services().limits.page)
    headers = [record.header.to_dict() for record in _blocks().read_records(first, last)]
    return answer_json({"headers": headers, "length": tip.header.index})


@blueprint.get("/chain/tip")
@describe(Reply(200, "The last header.", Tip))
def read_tip() -> Response:
    """The last block's header, the work of the whole chain as a decimal string, and a rule."""
    tip = _blocks().tip()
    return answer_json(
        {
            **tip.header.to_dict(),
            "cumulative_work": str(tip.cumulative_work),
            "signatures": "required" if services().ledger.rules.signed else "optional",
        }
    )


@blueprint.get("/chain/blocks/<name>")
@describe(
    Reply(200, "The block.", BlockSchema),
    problems=(404, 429),
    parameters=[NAME],
)
def read_block(name: str) -> Response:
    """One block, by its index or by its hash."""
    return Response(find_block(name).to_json(), content_type=JSON)


def stream_chain(head: bytes) -> Response:
    """The whole chain, in constant memory, after ``head``, which ends where its first block is.

    Raises:
        Problem: too many read already.
    """
    length = _blocks().tip().header.index
    return _stream(head, 1, length, length)


def _blocks() -> Blocks:
    return services().ledger.blocks


def _read_page(tip: Record, *, default: int) -> tuple[int, int]:
    """The first and the last index that ?from= and ?limit= ask for."""
    length = tip.header.index
    first = read_number("from", 1, least=1, most=length)
    limit = read_number("limit", default, least=1, most=services().limits.page)
    return first, min(first + limit - 1, length)


def _stream(head: bytes, first: int, last: int, length: int) -> Response:
    return stream(_write_blocks(head, _blocks().iterate(first, last), length), JSON)


def _write_blocks(head: bytes, blocks: Iterator[Block], length: int) -> Iterator[bytes]:
    chunk, separator = bytearray(head), b""
    previous: Any = None
    for block in blocks:
        if previous is not None and block.header.previous_hash != previous:
            # the best chain became another while it was sent; half an answer is refused by every
            # reader, a mixture of two chains is not
            raise ConnectionAbortedError("the chain was reorganised while it was read")
        previous = block.header.hash
        chunk += separator
        chunk += block.to_json()
        separator = b","
        while len(chunk) >= PART_BYTES:
            yield bytes(chunk[:PART_BYTES])
            del chunk[:PART_BYTES]
    chunk += b'],"length":%d}' % length
    yield bytes(chunk)
