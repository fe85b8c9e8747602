"""The rules that a block must keep to follow another; each is told by one sentence when broken."""

from collections.abc import Sequence

from minequeue.chain.errors import InvalidBlock, InvalidTransaction, MalformedJson
from minequeue.chain.protocol import merkle, strict_json
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import VERSION, Header
from minequeue.chain.protocol.proof_of_work import HASH_BITS, meets_target
from minequeue.chain.protocol.rules import MAX_BODY_BYTES, WIDEST, Limits
from minequeue.chain.protocol.transaction import Transaction, validate_transaction

MEDIAN_SPAN = 11  # blocks whose median timestamp must be passed (as Bitcoin)
MAX_AHEAD_MS = 2 * 60 * 60 * 1000  # a header from further in the future is refused (as Bitcoin)


def calculate_median_time(timestamps: Sequence[int]) -> int:
    """The median of the last blocks' timestamps, at most 11, in milliseconds."""
    recent = sorted(timestamps[-MEDIAN_SPAN:])
    return recent[len(recent) // 2]


def calculate_earliest(timestamps: Sequence[int]) -> int:
    """Before this moment no header that may follow the last blocks is valid; Unix milliseconds."""
    return calculate_median_time(timestamps) + 1 - MAX_AHEAD_MS


def validate_header(
    header: Header,
    previous: Header,
    timestamps: Sequence[int],
    *,
    now_ms: int,
    minimum_bits: int,
) -> None:
    """Check that ``header`` may follow ``previous``.

    Args:
        header: the header in question.
        previous: the one before it.
        timestamps: of the blocks up to ``previous``, oldest first, the last 11 or all.
        now_ms: the validator's clock, Unix milliseconds.
        minimum_bits: the network's least work.

    Raises:
        InvalidBlock: it may not; the message says why.
    """
    broken = (
        (header.version != VERSION, f"its version is {header.version}, not {VERSION}"),
        (header.index != previous.index + 1, f"its index does not follow {previous.index}"),
        (header.previous_hash != previous.hash, "it does not link to the block before it"),
        (
            not minimum_bits <= header.bits <= HASH_BITS,
            f"it claims {header.bits} bits, the network demands {minimum_bits}",
        ),
        (
            header.timestamp <= calculate_median_time(timestamps),
            "its timestamp is not above the median of the last 11 blocks",
        ),
        (header.timestamp > now_ms + MAX_AHEAD_MS, "its timestamp is over 2 hours ahead"),
    )
    for is_broken, why in broken:
        if is_broken:
            raise InvalidBlock(f"Block {header.index} is invalid: {why}.", index=header.index)
    if not meets_target(header.hash, header.bits):
        raise InvalidBlock(
            f"Block {header.index} is invalid: its hash does not have {header.bits} zero bits.",
            index=header.index,
        )


def validate_body(
    block: Block, limits: Limits = WIDEST, *, signed: bool = False
) -> list[Transaction]:
    """Check the transactions of ``block`` and that its header commits to exactly them.

    Args:
        block: the block.
        limits: what the network lets a block hold there.
        signed: whether the network demands signatures.

    Raises:
        InvalidBlock: a transaction or the Merkle root is wrong, an id stands twice, or it is
            larger than a block may be.
    """
    index = block.header.index
    if len(block.body) > MAX_BODY_BYTES:
        raise InvalidBlock(
            f"Block {index} is invalid: its transactions have over {MAX_BODY_BYTES} bytes.",
            index=index,
        )
    leaves = block.leaves
    if not limits.have_room(len(leaves) - 1, sum(map(len, leaves[:-1]))):
        raise InvalidBlock(
            f"Block {index} is invalid: it has over {limits.block_transactions} transactions or "
            f"over {limits.block_bytes} bytes of them.",
            index=index,
        )
    if merkle.calculate_root(leaves) != block.header.merkle_root:
        raise InvalidBlock(f"Block {index} is invalid: its Merkle root is another.", index=index)
    try:
        transactions = [
            validate_transaction(
                strict_json.loads(leaf), index=index, last=n == len(leaves), signed=signed
            )
            for n, leaf in enumerate(leaves, 1)
        ]
    except (InvalidTransaction, MalformedJson) as error:
        raise InvalidBlock(f"Block {index} is invalid: {error}", index=index) from error
    if [transaction.canonical for transaction in transactions] != leaves:
        raise InvalidBlock(f"Block {index} is invalid: a form is not canonical.", index=index)
    if not leaves:
        raise InvalidBlock(f"Block {index} is invalid: its reward is missing.", index=index)
    if len({transaction.id for transaction in transactions}) != len(transactions):
        raise InvalidBlock(f"Block {index} is invalid: an id stands twice.", index=index)
    return transactions
