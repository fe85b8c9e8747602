"""A block's record in the ledger: its header (96 B) and the chain's work up to it (32 B).

The work is a big-endian integer and never a number in a script, where numbers are doubles.
"""

from dataclasses import dataclass

from minequeue.chain.protocol.header import SIZE, Header

_WORK_BYTES = 32


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger keeps of each block beside its transactions."""

    header: Header
    cumulative_work: int

    def pack(self) -> bytes:
        """Write the record's 128 bytes."""
        return self.header.pack() + self.cumulative_work.to_bytes(_WORK_BYTES, "big")

    @classmethod
    def unpack(cls, raw: bytes) -> "Record":
        """Read the 128 bytes of a record."""
        return cls(Header.unpack(raw[:SIZE]), int.from_bytes(raw[SIZE:], "big"))
