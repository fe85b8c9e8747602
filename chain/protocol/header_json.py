"""A header as the API writes it, read back; nothing of it is believed but what is hashed."""

import struct
from typing import Annotated

import msgspec

from minequeue.chain.protocol.header import Header

Digest = Annotated[str, msgspec.Meta(min_length=64, max_length=64)]


class BadHeader(ValueError):
    """A field does not fit in its place of the 96 bytes."""


class HeaderJson(msgspec.Struct):
    """The members that a header is made of; others may stand beside them."""

    version: int
    bits: int
    index: int
    timestamp: int
    previous_hash: Digest
    merkle_root: Digest
    proof: int

    def as_header(self) -> Header:
        """The header that this is the JSON of.

        Raises:
            BadHeader: a number does not fit, or a hash is not in hex.
        """
        try:
            header = Header(
                self.version,
                self.bits,
                self.index,
                self.timestamp,
                bytes.fromhex(self.previous_hash),
                bytes.fromhex(self.merkle_root),
                self.proof,
            )
            header.pack()
        except (ValueError, struct.error) as error:
            raise BadHeader("a field of the header is out of its bounds") from error
        return header
