"""What a network's operator chooses once for the chain, and what a node chooses for its queue."""

from dataclasses import dataclass

MAX_BLOCK_TRANSACTIONS = 50_000  # that any node may choose, the reward not counted
MAX_BLOCK_BYTES = 16 * 2**20  # that any node may choose
# of a block's transactions as JSON: all of them, the commas between them, and the reward
MAX_BODY_BYTES = MAX_BLOCK_BYTES + 128 * 2**10


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


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait.

    Attributes:
        pending: the most pending transactions, and likewise the most waiting mine requests.
        pending_bytes: the most bytes of pending transactions.
    """

    pending: int
    pending_bytes: int
