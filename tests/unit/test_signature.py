"""Which Ed25519 signatures are taken: those of RFC 8032, and none that another library may doubt.

The odd ones are made by the RFC's formulas in tests/edwards.py. A libsodium that judged one of them
otherwise would split a chain, and fails here.
"""

from itertools import islice
from typing import Any

import pytest

from minequeue.chain.protocol.signature import SecretKey, is_valid
from tests.edwards import (
    BASE,
    SMALL,
    ZERO,
    L,
    Point,
    add,
    complete,
    encode,
    hash_of,
    multiply,
    sign,
)
from tests.vectors import load

SECRET = 0x1234567890ABCDEF1234567890ABCDEF
PUBLIC_POINT = multiply(SECRET, BASE)
PUBLIC = encode(PUBLIC_POINT)
MESSAGE = b"a message"
HONEST = next(sign(PUBLIC, SECRET, MESSAGE, start=999))
BY_ORDER = pytest.mark.parametrize("small", SMALL, ids=[f"small{n}" for n in range(8)])


def _is_taken(signature: bytes, key: bytes = PUBLIC, message: bytes = MESSAGE) -> bool:
    return is_valid(signature.hex(), message, public_key=key.hex())


def _replace_s(signature: bytes, add_to_s: int) -> bytes:
    s = int.from_bytes(signature[32:], "little") + add_to_s
    return signature[:32] + s.to_bytes(32, "little")


@pytest.mark.parametrize("vector", load("ed25519")["vectors"], ids=["test1", "test2", "test3"])
def test_the_vectors_of_rfc_8032_are_made_and_taken(vector: dict[str, Any]) -> None:
    key, message = SecretKey(bytes.fromhex(vector["secret"])), bytes.fromhex(vector["message"])
    assert key.address == vector["public"]
    assert key.sign(message) == vector["signature"]
    assert is_valid(vector["signature"], message, public_key=vector["public"])
    assert not is_valid(vector["signature"], message + b"x", public_key=vector["public"])


def test_a_signature_by_the_formulas_is_taken_and_none_with_a_flipped_bit() -> None:
    assert _is_taken(HONEST)
    for bit in range(8 * len(HONEST)):
        flipped = bytearray(HONEST)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not _is_taken(bytes(flipped))


@pytest.mark.parametrize("times", [1, 2, 3, 15])
def test_s_is_below_the_order_so_that_nobody_makes_a_second_one_of_a_signature(times: int) -> None:
    assert not _is_taken(_replace_s(HONEST, times * L))


@BY_ORDER
def test_a_key_of_small_order_signs_nothing(small: Point) -> None:
    key, taken_by_the_formula = encode(small), 0
    for signature in islice(sign(key, 0, MESSAGE, start=5), 40):
        # S B = R + h A holds wherever h times the key is zero
        taken_by_the_formula += multiply(hash_of(signature[:32], key, MESSAGE), small) == ZERO
        assert not _is_taken(signature, key)
    assert taken_by_the_formula


@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize("sign_bit", [0, 1])
def test_a_key_that_is_not_canonical_signs_nothing(y: int, sign_bit: int) -> None:
    beyond = bytearray(encode((0, y), beyond=True))
    beyond[31] |= sign_bit << 7
    key = bytes(beyond)
    assert not any(_is_taken(s, key) for s in islice(sign(key, 0, MESSAGE, start=5), 40))


def test_a_key_that_is_no_point_of_the_curve_signs_nothing() -> None:
    assert not _is_taken(HONEST, b"\2" + bytes(31))
    assert not _is_taken(HONEST, b"\xff" * 32)


@BY_ORDER
def test_r_of_small_order_is_refused(small: Point) -> None:
    assert not _is_taken(complete(PUBLIC, SECRET, MESSAGE, encode(small), 0))


@pytest.mark.parametrize("y", [0, 1])
def test_r_that_is_not_canonical_is_refused(y: int) -> None:
    assert not _is_taken(complete(PUBLIC, SECRET, MESSAGE, encode((0, y), beyond=True), 0))


@pytest.mark.parametrize("small", SMALL[1:], ids=[f"small{n}" for n in range(1, 8)])
def test_the_equation_holds_without_the_cofactor(small: Point) -> None:
    # multiplied by eight the shift is gone; libraries that do so would take these
    assert not _is_taken(next(sign(PUBLIC, SECRET, MESSAGE, start=999, shift=small)))


@pytest.mark.parametrize("small", SMALL[1:], ids=[f"small{n}" for n in range(1, 8)])
def test_a_key_with_a_part_of_small_order_signs_where_the_equation_holds(small: Point) -> None:
    key = encode(add(PUBLIC_POINT, small))
    for signature in islice(sign(key, SECRET, MESSAGE, start=999), 40):
        holds = multiply(hash_of(signature[:32], key, MESSAGE), small) == ZERO
        assert _is_taken(signature, key) == holds


@pytest.mark.parametrize(
    ("signature", "key"),
    [
        (HONEST.hex().upper(), PUBLIC.hex()),
        (HONEST.hex(), PUBLIC.hex().upper()),
        (HONEST.hex()[:-2], PUBLIC.hex()),
        (HONEST.hex() + "00", PUBLIC.hex()),
        (HONEST.hex(), PUBLIC.hex()[:-2]),
        (HONEST.hex(), PUBLIC.hex() + "00"),
        (" " + HONEST.hex()[:-1], PUBLIC.hex()),
        ("", PUBLIC.hex()),
        (HONEST.hex(), ""),
        (HONEST.hex(), "0"),
    ],
)
def test_each_has_one_spelling_and_one_length(signature: str, key: str) -> None:
    assert not is_valid(signature, MESSAGE, public_key=key)
