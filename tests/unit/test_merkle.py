from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minequeue.chain.protocol import merkle

leaf_lists = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def _root_by_the_book(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = _root_by_the_book(leaves[:split]), _root_by_the_book(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


def test_the_empty_tree_has_the_known_root() -> None:
    known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.calculate_root([]).hex() == known


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    assert merkle.calculate_root(leaves) == _root_by_the_book(leaves)


@given(leaf_lists, st.data())
def test_every_leaf_has_a_path_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(leaves) - 1))
    path = merkle.calculate_path(leaves, position)
    root = merkle.calculate_root(leaves)
    assert merkle.is_included(leaves[position], position, len(leaves), path, root)


@given(leaf_lists, st.data())
def test_a_changed_leaf_path_or_root_proves_nothing(
    leaves: list[bytes], data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(leaves) - 1))
    path, root = merkle.calculate_path(leaves, position), merkle.calculate_root(leaves)
    leaf, size, other = leaves[position], len(leaves), bytes(32)
    assert not merkle.is_included(leaf + b"x", position, size, path, root)
    assert not merkle.is_included(leaf, position, size, [*path, other], root)
    assert not merkle.is_included(leaf, position, size, path, other)
    assert not merkle.is_included(leaf, size, size, path, root)
    assert not merkle.is_included(leaf, -1, size, path, root)
    if path:
        assert not merkle.is_included(leaf, position, size, path[:-1], root)


def test_there_is_no_path_for_a_leaf_that_is_not_there() -> None:
    for position in (-1, 2):
        with pytest.raises(IndexError, match=f"no leaf {position} among 2"):
            merkle.calculate_path([b"a", b"b"], position)


def test_two_leaves_do_not_pass_for_one() -> None:
    pair = b"".join(sha256(b"\0" + leaf).digest() for leaf in (b"a", b"b"))
    assert merkle.calculate_root([pair]) != merkle.calculate_root([b"a", b"b"])
