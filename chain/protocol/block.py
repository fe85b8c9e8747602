"""A block: a header and the transactions under its Merkle root.

The transactions are kept as the JSON array that the API answers, in canonical form, so that a
block is stored, streamed and hashed without being taken apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from minequeue.chain.protocol.header import Header

EMPTY_BODY = b"[]"
_split = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Block:
    """A block.

    Attributes:
        header: its header.
        body: the JSON array of its transactions in canonical form, UTF-8.
    """

    header: Header
    body: bytes

    @property
    def leaves(self) -> list[bytes]:
        """Each transaction's canonical form: the contents of the Merkle tree's leaves."""
        return [bytes(raw) for raw in _split.decode(self.body)]

    def to_json(self) -> bytes:
        """The block as the API writes it."""
        return msgspec.json.encode(
            {**self.header.to_dict(), "transactions": msgspec.Raw(self.body)}
        )


def count_contracts(transactions: Sequence[bytes]) -> int:
    """How many of ``transactions``, each in canonical form, have a contract."""
    # inside a string the marks would have backslashes; inside a contract there is one anyway
    return sum(b'"contract":' in transaction for transaction in transactions)


def join_body(transactions: Sequence[bytes]) -> bytes:
    """Write transactions, each in canonical form, as a block's body."""
    return b"[" + b",".join(transactions) + b"]"
