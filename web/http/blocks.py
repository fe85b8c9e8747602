"""Blocks as requests name them: by their index, or by their hash."""

from minequeue.chain.protocol.block import Block
from minequeue.web.http.parameters import in_path
from minequeue.web.http.requests import parse_hex, parse_number
from minequeue.web.replies.problems import not_found
from minequeue.web.services import services

NAME = in_path("name", "Its index, or its hash.", "^([1-9][0-9]{0,14}|[0-9a-f]{64})$", "1")
_HASH_BYTES = 32


def find_block(name: str) -> Block:
    """The block of the best chain that ``name`` names.

    Raises:
        Problem: there is none.
    """
    blocks = services().ledger.blocks
    digest = parse_hex(name, _HASH_BYTES)
    index = parse_number(name) if digest is None else blocks.find_index(digest)
    block = blocks.read_block(index) if index else None
    if block is None:
        raise not_found(
            "Unknown block. Use its index (from 1) or its hash (64 lower-case hex digits)."
        )
    return block
