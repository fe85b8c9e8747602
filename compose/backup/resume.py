"""Where an export goes on: after the last whole block of the file that is still in the chain."""

from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from msgspec.structs import replace

from minequeue.chain.ledger import Ledger
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.merkle import calculate_root
from minequeue.compose.backup.errors import BadBackup, CannotExport
from minequeue.compose.backup.lines import MAX_LINE_BYTES, Network, decode, encode
from minequeue.compose.backup.reader import read_lines
from minequeue.compose.backup.writer import Writer


def find_end(
    file: IO[bytes], name: str, network: Network, ledger: Ledger, *, any_first: bool
) -> tuple[Writer, Header | None]:
    """Drop all that follows that block, and stand there.

    Args:
        file: the backup, readable and writable, at its start; it may be empty.
        name: of the file.
        network: what its first line must say.
        ledger: the chain's.
        any_first: whether it may begin with another block than ``network`` says.

    Returns:
        A writer that counted what stays, and the header of the last block before the next one.

    Raises:
        CannotExport: it is no backup of this network; the file stays as it is.
        CannotRead: it cannot be read.
    """
    writer = Writer(file, name)
    raw = file.readline(MAX_LINE_BYTES)
    if raw != encode(network) and encode(network).startswith(raw):  # cut in its first line
        _cut(file, 0)
        writer.begin(network)
        return writer, ledger.blocks.read_header(network.first - 1)
    said = None
    with suppress(BadBackup):
        said = decode(raw)
    if not isinstance(said, Network) or said != (
        replace(network, first=said.first) if any_first else network
    ):
        raise CannotExport(f"{name} is no backup that this export could go on; name another file.")
    writer.keep(raw, is_block=False)
    last = _keep_blocks(writer, read_lines(file, name), ledger, said.first)
    _cut(file, writer.size)
    return writer, last


def _keep_blocks(
    writer: Writer, lines: Iterator[bytes], ledger: Ledger, first: int
) -> Header | None:
    last = ledger.blocks.read_header(first - 1)
    tip = ledger.blocks.tip().header
    records = ledger.blocks.iterate_records(first, tip.index)
    with suppress(BadBackup):  # a line that was torn or edited ends what stays
        for raw, record in zip(lines, records, strict=False):
            block = decode(raw)
            if not isinstance(block, Block) or block.header != record.header:
                break
            if calculate_root(block.leaves) != record.header.merkle_root:
                break
            writer.keep(raw, is_block=True)
            last = block.header
    return last


def _cut(file: IO[bytes], size: int) -> None:
    file.seek(size)
    file.truncate()
