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

_MAX_BLOCKS = 2_000  # of one look, a thousand round trips
_MAX_BYTES = 32 * 2**20  # of transactions, about a quarter of a second
_BLOCKS_BATCH = 4


@dataclass(frozen=True, slots=True, order=True)
class ChainPosition:
    """A place of the chain: the block at ``index`` and the position in it, both as numbers."""

    index: int
    position: int


@dataclass(frozen=True, slots=True)
class LocatedTransaction:
    """A transaction of the address.

    Attributes:
        position: where it is.
        fields: it, as JSON.
    """

    position: ChainPosition
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AddressPage:
    """What a look found.

    Attributes:
        transactions: newest first.
        ended: where the look ended and another may go on; None where it came to the first block.
    """

    transactions: list[LocatedTransaction]
    ended: ChainPosition | None


def find_transactions_of(
    blocks: Blocks, address: str, *, before: ChainPosition, most: int
) -> AddressPage:
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
    payments: list[LocatedTransaction] = []
    written = canonical.encode(address)
    marks = (b'"recipient":' + written, b'"sender":' + written)
    size = 0
    top = min(before.index, blocks.tip().header.index)
    for block in _descend(blocks, top):
        index = block.header.index
        # most blocks do not have it, and a search in bytes tells so a hundred times as fast
        if any(mark in block.body for mark in marks):
            for payment in _find(block, address):
                if payment.position < before:
                    payments.append(payment)
                    if len(payments) == most:
                        return AddressPage(payments, payment.position)
        size += len(block.body)
        if size >= _MAX_BYTES or top - index >= _MAX_BLOCKS:
            return AddressPage(payments, ChainPosition(index, 0))
    return AddressPage(payments, None)


def _descend(blocks: Blocks, last: int) -> Iterator[Block]:
    for top in range(last, 0, -_BLOCKS_BATCH):
        yield from reversed(list(blocks.iterate(max(1, top - _BLOCKS_BATCH + 1), top)))


def _find(block: Block, address: str) -> Iterator[LocatedTransaction]:
    fields: list[dict[str, Any]] = msgspec.json.decode(block.body)
    for position in range(len(fields) - 1, -1, -1):
        if address in (fields[position]["sender"], fields[position]["recipient"]):
            yield LocatedTransaction(ChainPosition(block.header.index, position), fields[position])
