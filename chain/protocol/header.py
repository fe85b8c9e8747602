"""A block's header: the 96 bytes that are hashed.

version u32 | bits u32 | index u64 | timestamp u64 | previous_hash 32 B | merkle_root 32 B |
proof u64, all big-endian. The nonce (proof) stands last, so that everything before it is one
prefix, and its first 64 bytes, one SHA-256 block, are the same for every try.
"""

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from minequeue.chain.protocol.merkle import EMPTY_ROOT

VERSION = 1
SIZE = 96
PREFIX_SIZE = 88
MAX_U64 = 2**64 - 1
_LAYOUT = struct.Struct(">IIQQ32s32sQ")
_NONCE = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Header:
    """A header's fields.

    Attributes:
        bits: how many leading zero bits its hash must have; its work is 2^bits.
        index: its place in the chain, from 1.
        timestamp: Unix time in milliseconds.
        previous_hash: the previous header's hash, 32 bytes.
        merkle_root: over the block's transactions, 32 bytes.
        proof: the nonce.
    """

    version: int
    bits: int
    index: int
    timestamp: int
    previous_hash: bytes
    merkle_root: bytes
    proof: int

    @classmethod
    def unpack(cls, raw: bytes) -> "Header":
        """Read the 96 bytes of a header.

        Raises:
            struct.error: there are more or fewer than 96.
        """
        return cls(*_LAYOUT.unpack(raw))

    def pack(self) -> bytes:
        """Write the header's 96 bytes."""
        return _LAYOUT.pack(
            self.version,
            self.bits,
            self.index,
            self.timestamp,
            self.previous_hash,
            self.merkle_root,
            self.proof,
        )

    @property
    def prefix(self) -> bytes:
        """The 88 bytes before the nonce."""
        return self.pack()[:PREFIX_SIZE]

    @property
    def hash(self) -> bytes:
        """SHA-256 of the header, 32 bytes."""
        return sha256(self.pack()).digest()

    @property
    def work(self) -> int:
        """How many hashes finding it took on average."""
        return 1 << self.bits

    def to_dict(self) -> dict[str, Any]:
        """The header's fields as the API names them, hashes in lower-case hex."""
        return {
            "index": self.index,
            "timestamp": self.timestamp,
            "proof": self.proof,
            "previous_hash": self.previous_hash.hex(),
            "hash": self.hash.hex(),
            "merkle_root": self.merkle_root.hex(),
            "bits": self.bits,
            "version": self.version,
        }


def put_nonce(prefix: bytes, nonce: int) -> bytes:
    """Complete the 88 bytes of ``prefix`` to a header."""
    return prefix + _NONCE.pack(nonce)


def genesis(network: str) -> Header:
    """The first header of the network called so; two networks never have a block in common."""
    return Header(
        version=VERSION,
        bits=0,
        index=1,
        timestamp=0,
        previous_hash=sha256(network.encode()).digest(),
        merkle_root=EMPTY_ROOT,
        proof=0,
    )
