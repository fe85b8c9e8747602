from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from minequeue.chain.protocol.header import MAX_U64, PREFIX_SIZE, put_nonce
from minequeue.chain.protocol.proof_of_work import meets_target, search_with_hashlib

prefixes = st.binary(min_size=PREFIX_SIZE, max_size=PREFIX_SIZE)
starts = st.integers(0, MAX_U64 - 500) | st.just(2**32 - 100)


def _with_bits(prefix: bytes, bits: int) -> bytes:
    return prefix[:4] + bits.to_bytes(4, "big") + prefix[8:]


@given(st.binary(min_size=32, max_size=32), st.integers(0, 256))
def test_a_target_is_met_by_so_many_leading_zero_bits(digest: bytes, bits: int) -> None:
    assert meets_target(digest, bits) == f"{int.from_bytes(digest, 'big'):0256b}".startswith(
        "0" * bits
    )


def test_the_zero_hash_meets_every_target_and_the_largest_hash_none_but_zero() -> None:
    assert meets_target(bytes(32), 256)
    assert meets_target(b"\xff" * 32, 0)
    assert not meets_target(b"\xff" * 32, 1)


@given(prefixes, st.integers(0, 9), starts, st.integers(0, 400))
def test_the_search_finds_the_first_nonce_that_meets_the_target(
    prefix: bytes, bits: int, start: int, count: int
) -> None:
    header = _with_bits(prefix, bits)
    hits = (
        nonce
        for nonce in range(start, start + count)
        if meets_target(sha256(put_nonce(header, nonce)).digest(), bits)
    )
    assert search_with_hashlib(header, start, count) == next(hits, None)


def test_the_search_finds_a_hit_on_the_first_and_on_the_last_nonce_of_a_range() -> None:
    header = _with_bits(bytes(PREFIX_SIZE), 10)
    hit = search_with_hashlib(header, 0, 100_000)
    assert hit is not None
    assert search_with_hashlib(header, hit, 1) == hit
    assert search_with_hashlib(header, hit - 5, 6) == hit
    assert search_with_hashlib(header, hit - 5, 5) is None


def test_the_last_nonce_of_all_can_be_tried() -> None:
    assert search_with_hashlib(_with_bits(bytes(PREFIX_SIZE), 0), MAX_U64, 1) == MAX_U64
