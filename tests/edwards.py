"""Ed25519 by the formulas of RFC 8032, to make signatures that no honest signer makes.

Slow and with the standard library alone; nothing of it is for use but in tests.
"""

from collections.abc import Iterator
from hashlib import sha512
from itertools import count
from typing import TypeAlias

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
_D = -121665 * pow(121666, -1, P) % P
_ROOT = pow(2, (P - 1) // 4, P)  # of -1
Point: TypeAlias = tuple[int, int]
ZERO: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    k = _D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def multiply(number: int, point: Point) -> Point:
    total = ZERO
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def find(y: int) -> Point | None:
    """The point with this y and an even x."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT % P
    if (x * x - square) % P:
        return None
    return (P - x if x % 2 else x), y


def encode(point: Point, *, beyond: bool = False) -> bytes:
    """32 bytes; with y beyond P, which only a careless reader takes, where there is room for it."""
    x, y = point
    return (y + beyond * P | (x & 1) << 255).to_bytes(32, "little")


def _find_base() -> Point:
    base = find(4 * pow(5, -1, P) % P)
    assert base is not None
    return base


def _find_small() -> list[Point]:
    """The eight points of small order."""
    for y in count(2):
        point = find(y)
        torsion = ZERO if point is None else multiply(L, point)
        if multiply(4, torsion) != ZERO:
            return [multiply(number, torsion) for number in range(8)]
    raise AssertionError


BASE = _find_base()
SMALL = _find_small()


def sign(
    key: bytes, secret: int, message: bytes, *, start: int, shift: Point = ZERO
) -> Iterator[bytes]:
    """Signatures with the nonces from ``start`` on, whose R is moved by ``shift``.

    Args:
        key: the public key as it is sent, which need not be that of ``secret``.
        secret: the scalar that signs.
        message: what is signed.
        start: the first nonce.
        shift: what is added to R.
    """
    point = add(multiply(start, BASE), shift)
    for nonce in count(start):
        yield complete(key, secret, message, encode(point), nonce)
        point = add(point, BASE)


def complete(key: bytes, secret: int, message: bytes, r: bytes, nonce: int) -> bytes:
    """The signature with this R."""
    return r + ((nonce + hash_of(r, key, message) * secret) % L).to_bytes(32, "little")


def hash_of(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(sha512(r + key + message).digest(), "little") % L
