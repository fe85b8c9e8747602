"""SHA-256 by the letter of FIPS 180-4, for what is done once for each candidate: its midstate."""

import struct
from collections.abc import Sequence
from itertools import count, islice
from math import isqrt

BLOCK_SIZE = 64  # bytes that one compression takes
_U32 = 2**32 - 1


def _primes() -> "islice[int]":
    return islice((n for n in count(2) if all(n % d for d in range(2, isqrt(n) + 1))), 64)


def _cube_root(n: int) -> int:
    """The largest integer whose cube is at most ``n``."""
    root = 1 << (n.bit_length() // 3 + 1)
    while root**3 > n:
        root = (2 * root + n // root**2) // 3
    return root


# the first 32 bits of the fractional parts of the primes' square and cube roots (4.2.2, 5.3.3)
INITIAL_STATE = tuple(isqrt(prime << 64) & _U32 for prime in islice(_primes(), 8))
ROUND_CONSTANTS = tuple(_cube_root(prime << 96) & _U32 for prime in _primes())


def compress(state: Sequence[int], block: bytes) -> list[int]:
    """The state (eight 32-bit words) after ``block`` (64 bytes, words big-endian); 6.2.2."""
    words = list(struct.unpack(">16I", block))
    for t in range(16, 64):
        near, far = words[t - 2], words[t - 15]
        s1 = _rotate(near, 17) ^ _rotate(near, 19) ^ near >> 10
        s0 = _rotate(far, 7) ^ _rotate(far, 18) ^ far >> 3
        words.append(s1 + words[t - 7] + s0 + words[t - 16] & _U32)
    a, b, c, d, e, f, g, h = state
    for word, constant in zip(words, ROUND_CONSTANTS, strict=True):
        s1 = _rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)
        t1 = h + s1 + (e & f ^ ~e & g) + constant + word
        s0 = _rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)
        t2 = s0 + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = t1 + t2 & _U32, a, b, c, d + t1 & _U32, e, f, g
    return [x + y & _U32 for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def _rotate(word: int, bits: int) -> int:
    return (word >> bits | word << 32 - bits) & _U32
