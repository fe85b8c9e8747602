"""Writing a backup: lines, counted and hashed on their way."""

import os
from hashlib import sha256
from typing import IO

from minequeue.chain.protocol.block import Block
from minequeue.compose.backup.errors import CannotExport
from minequeue.compose.backup.files import describe
from minequeue.compose.backup.lines import (
    End,
    JobLine,
    Network,
    TransactionLine,
    encode,
    encode_block,
)


class Writer:
    """Appends lines to ``file``, called ``name`` in messages.

    Each method raises :class:`CannotExport` where the file takes no more.

    Attributes:
        blocks, jobs, transactions: how many lines of each kind there are.
        size: the bytes of all lines.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = describe(name)
        self._digest = sha256()
        self.blocks = self.jobs = self.transactions = self.size = 0

    def keep(self, raw: bytes, *, is_block: bool) -> None:
        """Count a line that stands in the file already."""
        self._digest.update(raw)
        self.size += len(raw)
        self.blocks += is_block

    def begin(self, network: Network) -> None:
        """Write the first line."""
        self._write(encode(network))

    def add_block(self, block: Block) -> None:
        """Write a block."""
        self._write(encode_block(block))
        self.blocks += 1

    def add_job(self, line: JobLine) -> None:
        """Write a mine request."""
        self._write(encode(line))
        self.jobs += 1

    def add_transaction(self, line: TransactionLine) -> None:
        """Write a transaction."""
        self._write(encode(line))
        self.transactions += 1

    def end(self) -> End:
        """Write the last line; when this returns, the file is on disk, if it is one."""
        end = End(self.blocks, self.jobs, self.transactions, self._digest.hexdigest())
        self._write(encode(end))
        try:
            self._file.flush()
            if self._file.seekable():
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._refuse(error) from None
        return end

    def _write(self, raw: bytes) -> None:
        try:
            self._file.write(raw)
        except OSError as error:
            raise self._refuse(error) from None
        self._digest.update(raw)
        self.size += len(raw)

    def _refuse(self, error: OSError) -> CannotExport:
        return CannotExport(f"{self._name} cannot be written ({error.strerror}).")
