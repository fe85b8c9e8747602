"""From a ledger to the lines of a backup, while the node goes on working."""

from collections.abc import Callable
from itertools import chain

import msgspec

from minequeue.chain.ledger import Ledger
from minequeue.chain.protocol.header import Header
from minequeue.compose.backup.errors import CannotExport, Reorganised
from minequeue.compose.backup.lines import JobLine, TransactionLine
from minequeue.compose.backup.writer import Writer


class Exporter:
    """Writes what a node holds; whatever was accepted before it began is in the lines.

    Args:
        ledger: the node's.
        writer: takes the lines.
        last: the header of the block before the next to be written, None before the genesis block.
        on_block: hears how many blocks are written, and the index of the tip.
    """

    def __init__(
        self,
        ledger: Ledger,
        writer: Writer,
        last: Header | None,
        on_block: Callable[[int, int], object],
    ) -> None:
        self._ledger = ledger
        self._writer = writer
        self._last = last
        self._on_block = on_block

    def run(self) -> Header:
        """Write blocks, mine requests and transactions, in constant memory.

        Returns:
            The header of the last block.

        Raises:
            Reorganised: blocks that were written are no longer in the chain.
            CannotExport: the file takes no more.
        """
        self._write_blocks(self._ledger.blocks.tip().header.hash)
        jobs = self._ledger.waiting.read_jobs()
        first = next(jobs)
        last = self._write_blocks(first.tip)
        for part in chain([first], jobs):
            if part.is_anew:
                raise CannotExport(
                    "More mine requests were served than were read meanwhile, so some may be "
                    "missing; export again."
                )
            for job in part.items:
                self._writer.add_job(JobLine(job.decode()))
        seen = last
        for part in self._ledger.waiting.read_transactions():
            if part.tip != seen.hash:
                seen = self._write_mined(seen, part.tip)
            for transaction in part.items:
                self._writer.add_transaction(TransactionLine(msgspec.Raw(transaction)))
        return last

    def _write_blocks(self, tip: bytes) -> Header:
        """Write the blocks up to the one of the hash ``tip``; its header."""
        start = self._last.index + 1 if self._last else 1
        last = self._ledger.blocks.find_index(tip) or 0
        for block in self._ledger.blocks.iterate(start, last):
            if self._last and block.header.previous_hash != self._last.hash:
                raise Reorganised
            self._writer.add_block(block)
            self._last = block.header
            self._on_block(block.header.index, last)
        if self._last is None or self._last.hash != tip:
            raise Reorganised
        return self._last

    def _write_mined(self, seen: Header, tip: bytes) -> Header:
        """Write the transactions of the blocks after ``seen`` up to ``tip``.

        They wait no more, and no block that was written holds them.
        """
        index = self._ledger.blocks.find_index(tip)
        for block in self._ledger.blocks.iterate(seen.index + 1, index or 0):
            if block.header.previous_hash != seen.hash:
                raise Reorganised
            for leaf in block.leaves[:-1]:
                self._writer.add_transaction(TransactionLine(msgspec.Raw(leaf)))
            seen = block.header
        if seen.hash != tip:
            raise Reorganised
        return seen
