"""The lines of a backup: what each holds, and the one way to write it.

A backup begins with a line of kind network. Then come the blocks by index, the mine requests that
waited at the last block's moment, the transactions that are in none of these blocks, and a line of
kind end. A transaction may stand twice, where a block was mined while it was written.
"""

from typing import Annotated, TypeAlias

import msgspec

from minequeue.chain.errors import MalformedJson
from minequeue.chain.protocol.block import Block, join_body
from minequeue.chain.protocol.header_json import BadHeader, Digest, HeaderJson
from minequeue.chain.protocol.rules import MAX_BODY_BYTES
from minequeue.chain.protocol.strict_json import make_reader
from minequeue.compose.backup.errors import BadBackup

FORMAT = 1
MAX_LINE_BYTES = MAX_BODY_BYTES + 64 * 1024  # bytes; a block has less beside its transactions
_Count = Annotated[int, msgspec.Meta(ge=0)]
_BLOCK, _AFTER_BLOCK = b'{"kind":"block","block":', b"}\n"


class Network(msgspec.Struct, tag_field="kind", tag="network", frozen=True):
    """The first line: whose chain it is.

    Attributes:
        network: the network's name.
        signatures: whether it demands them.
        first: the index of the first block, 1 for the genesis block.
        format: of the lines.
    """

    network: str
    signatures: Annotated[str, msgspec.Meta(pattern="^(optional|required)$")]
    first: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="from")
    format: int = FORMAT


class Head(msgspec.Struct, frozen=True):
    """What the first line says of a format, whatever else it holds there.

    Attributes:
        format: of the lines.
        reader: the least version that reads it; format 1 does not say so.
    """

    format: int
    reader: str = "1.0.0"


read_head = make_reader(Head)


class _BlockJson(HeaderJson):
    transactions: list[msgspec.Raw]


class BlockLine(msgspec.Struct, tag_field="kind", tag="block", frozen=True):
    """A block as GET /chain gives it."""

    block: _BlockJson

    def as_block(self) -> Block:
        """The block.

        Raises:
            BadHeader: a field of its header does not fit in its place.
        """
        transactions = [bytes(raw) for raw in self.block.transactions]
        return Block(self.block.as_header(), join_body(transactions))


class JobLine(msgspec.Struct, tag_field="kind", tag="job", frozen=True):
    """A mine request that waits, by its job."""

    job: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]


class TransactionLine(msgspec.Struct, tag_field="kind", tag="transaction", frozen=True):
    """A transaction that was accepted and is in no block, in canonical form."""

    transaction: msgspec.Raw


class End(msgspec.Struct, tag_field="kind", tag="end", frozen=True):
    """The last line: how many lines of each kind there are, and what they hash to.

    Attributes:
        blocks: how many blocks.
        jobs: how many mine requests.
        transactions: how many lines of transactions.
        sha256: over all bytes before this line, hex.
    """

    blocks: _Count
    jobs: _Count
    transactions: _Count
    sha256: Digest


Content: TypeAlias = Block | JobLine | TransactionLine  # between the first line and the last
_read = make_reader(Network | BlockLine | JobLine | TransactionLine | End)  # type: ignore[arg-type]  # a union is a type to msgspec


def encode(line: Network | JobLine | TransactionLine | End) -> bytes:
    """Write a line."""
    return msgspec.json.encode(line) + b"\n"


def encode_block(block: Block) -> bytes:
    """Write the line of a block."""
    return _BLOCK + block.to_json() + _AFTER_BLOCK


def decode(raw: bytes) -> Network | Content | End:
    """Read one line, which must be written as it is written here, to the byte.

    Raises:
        BadBackup: it is not; the message is a clause that follows the line's number.
    """
    try:
        line = _read(raw)
        value = line.as_block() if isinstance(line, BlockLine) else line
    except (MalformedJson, BadHeader) as error:
        raise BadBackup(f"is no line of a backup ({error})") from None
    if (encode_block(value) if isinstance(value, Block) else encode(value)) != raw:
        raise BadBackup("is not written as an export writes it, so it was edited")
    return value
