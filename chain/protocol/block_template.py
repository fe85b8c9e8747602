"""The block to be mined next: which transactions, on which tip, at what time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from minequeue.chain.protocol.block import Block, join_body
from minequeue.chain.protocol.header import VERSION, Header
from minequeue.chain.protocol.merkle import calculate_root
from minequeue.chain.protocol.rules import Limits
from minequeue.chain.protocol.transaction import Transaction, reward
from minequeue.chain.protocol.validation import MEDIAN_SPAN, calculate_median_time


@dataclass(frozen=True, slots=True)
class Template:
    """A block without its nonce.

    Attributes:
        block: the block; its header's proof is 0.
        reward: the transaction that ends it.
        count: how many pending transactions it takes, the reward not counted.
        revision: of the network's rules by which it was judged; "" where nobody has.
    """

    block: Block
    reward: Transaction
    count: int
    revision: str = ""

    def move(self, tip: Header, timestamps: Sequence[int], now_ms: int) -> "Template":
        """The same content on ``tip``, whose nonce is known by now.

        Args:
            tip: the header to build on, at the index of the one that this was built on.
            timestamps: of the blocks before ``tip``, as many as judge it.
            now_ms: the time to write, moved past the median if need be.
        """
        recent = [*timestamps, tip.timestamp][-MEDIAN_SPAN:]
        header = replace(
            self.block.header,
            previous_hash=tip.hash,
            timestamp=max(now_ms, calculate_median_time(recent) + 1),
        )
        return replace(self, block=replace(self.block, header=header))


def build_template(
    tip: Header,
    timestamps: Sequence[int],
    transactions: Sequence[bytes],
    *,
    bits: int,
    recipient: str,
    now_ms: int,
) -> Template:
    """Build the block that follows ``tip``.

    Args:
        tip: the header to build on.
        timestamps: of the last 11 blocks, the tip's included.
        transactions: the pending ones to take, each in canonical form, in order.
        bits: the work to be done.
        recipient: who gets the reward.
        now_ms: the time to write, moved past the median of the timestamps if need be.
    """
    index = tip.index + 1
    paid = reward(recipient, index)
    leaves = [*transactions, paid.canonical]
    header = Header(
        version=VERSION,
        bits=bits,
        index=index,
        timestamp=max(now_ms, calculate_median_time(timestamps) + 1),
        previous_hash=tip.hash,
        merkle_root=calculate_root(leaves),
        proof=0,
    )
    return Template(Block(header, join_body(leaves)), paid, len(transactions))


def take_while_fits(transactions: Iterable[bytes], limits: Limits) -> list[bytes]:
    """Take from the front what fits in one block; the first one always does."""
    taken: list[bytes] = []
    size = 0
    for transaction in transactions:
        size += len(transaction)
        if not limits.have_room(len(taken) + 1, size):
            break
        taken.append(transaction)
    return taken
