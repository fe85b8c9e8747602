"""The transactions of an address, looked for from the tip down, a bounded part at a time.

There is no index of addresses: it would cost each submission as much as all else that the server
does for it, for a question that people ask now and then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from minequeue.chain.ledger.blocks import Blocks
from minequeue.chain.protocol import canonical
from minequeue.chain.protocol.block import Block

_MOST_BLOCKS = 2_000  # of one look, a thousand round trips
_MOST_BYTES = 32 * 2**20  # of transactions, about a quarter of a second
_BLOCKS_AT_ONCE = 4


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place of the chain: the block at ``index`` and the position in it, both as numbers."""

    index: int
    position: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A transaction of the address.

    Attributes:
        spot: where it is.
        fields: it, as JSON.
    """

    spot: Spot
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found.

    Attributes:
        payments: newest first.
        ended: where the look ended and another may go on; None where it came to the first block.
    """

    payments: list[Payment]
    ended: Spot | None


def look_for(blocks: Blocks, address: str, *, before: Spot, most: int) -> Look:
    """Look for transactions that ``address`` sent or received, before a place and newest first.

    Args:
        blocks: the chain.
        address: to be met exactly.
        before: where to begin; what is there is left out.
        most: of transactions, from 1.

    Raises:
        LedgerUnavailable: the server is away.
        MalformedJson: ``address`` has half of a surrogate pair.
    """
    payments: list[Payment] = []
    written = canonical.encode(address)
    marks = (b'"recipient":' + written, b'"sender":' + written)
    size = 0
    top = min(before.index, blocks.tip().header.index)
    for block in _descend(blocks, top):
        index = block.header.index
        # most blocks do not have it, and a search in bytes tells so a hundred times as fast
        if any(mark in block.body for mark in marks):
            for payment in _find(block, address):
                if payment.spot < before:
                    payments.append(payment)
                    if len(payments) == most:
                        return Look(payments, payment.spot)
        size += len(block.body)
        if size >= _MOST_BYTES or top - index >= _MOST_BLOCKS:
            return Look(payments, Spot(index, 0))
    return Look(payments, None)


def _descend(blocks: Blocks, last: int) -> Iterator[Block]:
    for top in range(last, 0, -_BLOCKS_AT_ONCE):
        yield from reversed(list(blocks.iterate(max(1, top - _BLOCKS_AT_ONCE + 1), top)))


def _find(block: Block, address: str) -> Iterator[Payment]:
    fields: list[dict[str, Any]] = msgspec.json.decode(block.body)
    for position in range(len(fields) - 1, -1, -1):
        if address in (fields[position]["sender"], fields[position]["recipient"]):
            yield Payment(Spot(block.header.index, position), fields[position])
