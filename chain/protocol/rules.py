"""What a network's operator chooses once for the chain, and what a node chooses for its queue."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

MAX_BLOCK_TRANSACTIONS = 50_000  # that any node may choose, the reward not counted
MAX_BLOCK_BYTES = 16 * 2**20  # that any node may choose
# of a block's transactions as JSON: all of them, the commas between them, and the reward
MAX_BODY_BYTES = MAX_BLOCK_BYTES + 128 * 2**10


@dataclass(frozen=True, slots=True)
class Limits:
    """What a block has to keep.

    Attributes:
        bits: the least work.
        block_transactions: the most transactions, the reward not counted.
        block_bytes: the most bytes of them; a single one always fits.
    """

    bits: int
    block_transactions: int
    block_bytes: int

    def have_room(self, transactions: int, size: int) -> bool:
        """Tell whether so many transactions of ``size`` bytes together fit in a block."""
        fits = transactions <= self.block_transactions and size <= self.block_bytes
        return fits or transactions <= 1

    def are_kept_by(self, other: "Limits") -> bool:
        """Tell whether whoever keeps ``other`` keeps these too."""
        return (
            other.bits >= self.bits
            and other.block_transactions <= self.block_transactions
            and other.block_bytes <= self.block_bytes
        )


# what every version of every node kept, whatever its operator chose
WIDEST = Limits(bits=1, block_transactions=MAX_BLOCK_TRANSACTIONS, block_bytes=MAX_BLOCK_BYTES)


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """What blocks had to keep, from which one on.

    Attributes:
        changes: the index of the first block, and its limits, by index; the first is block 2's.
    """

    changes: Sequence[tuple[int, Limits]]

    def at(self, index: int) -> Limits:
        """The limits of the block at ``index``, from 2 on."""
        return self.changes[bisect_right(self.changes, index, key=lambda change: change[0]) - 1][1]


@dataclass(frozen=True, slots=True)
class Rules:
    """The choices that shape blocks.

    Attributes:
        network: the network's name; it decides the genesis block.
        bits: the work of a new block, and the least that is valid.
        block_interval_s: how old a pending transaction gets before a block is due by itself.
        block_transactions: the most transactions in a block, the reward not counted.
        block_bytes: the most bytes of transactions in a block; a single one always fits.
        signed: whether every transaction but the reward has to be signed, so that nobody spends
            from another's address; decided when the chain is begun.
    """

    network: str
    bits: int
    block_interval_s: float
    block_transactions: int
    block_bytes: int
    signed: bool = False

    @property
    def limits(self) -> Limits:
        """What the blocks keep that are made by these rules."""
        return Limits(self.bits, self.block_transactions, self.block_bytes)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait.

    Attributes:
        pending: the most pending transactions, and likewise the most waiting mine requests.
        pending_bytes: the most bytes of pending transactions.
    """

    pending: int
    pending_bytes: int
