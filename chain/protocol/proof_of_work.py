"""Proof of work: the one predicate that miner and validator share, and the search for a nonce."""

from hashlib import sha256
from typing import Protocol

HASH_BITS = 256
HASHLIB = "hashlib"  # the name of the search that needs nothing but the standard library


class Search(Protocol):
    """Looks through a range of nonces."""

    def __call__(self, header_prefix: bytes, start: int, count: int) -> int | None:
        """Find the first nonce in ``start`` .. ``start + count - 1`` that meets the target.

        Args:
            header_prefix: the header's 88 bytes before the nonce; they hold the bits.
            start: the first nonce to try, below 2^64.
            count: how many to try; the range ends at 2^64 at the latest.
        """
        ...


def meets_target(digest: bytes, bits: int) -> bool:
    """Tell whether the first ``bits`` bits (0 to 256) of a header's hash are zero."""
    return int.from_bytes(digest, "big") >> (HASH_BITS - bits) == 0


def search_with_hashlib(header_prefix: bytes, start: int, count: int) -> int | None:
    """Search with the standard library alone, about a million nonces a second; see Search."""
    bits = int.from_bytes(header_prefix[4:8], "big")
    midstate = sha256(header_prefix)  # of the first 64 bytes, which hashlib keeps compressed
    # a hash below this bound has its leading zero bits; comparing bytes spares a conversion
    bound = (1 << (HASH_BITS - bits)).to_bytes(33, "big")[1:] if bits else None
    for nonce in range(start, start + count):
        attempt = midstate.copy()
        attempt.update(nonce.to_bytes(8, "big"))
        if bound is None or attempt.digest() < bound:
            return nonce
    return None
