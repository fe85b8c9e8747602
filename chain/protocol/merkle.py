"""The Merkle tree of RFC 6962, section 2.1: roots, audit paths and their check.

Leaf and node hashes have different prefixes, so a node can never pass for a leaf.
"""

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def calculate_root(leaves: Sequence[bytes]) -> bytes:
    """Calculate the root (32 bytes) over the leaves' contents, in order."""
    if not leaves:
        return EMPTY_ROOT
    level = _leaf_hashes(leaves)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def calculate_path(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """Calculate the audit path (32 bytes each, lowest first) of the leaf at ``position`` (from 0).

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= position < len(leaves):
        raise IndexError(f"there is no leaf {position} among {len(leaves)}")
    path = []
    level = _leaf_hashes(leaves)
    while len(level) > 1:
        sibling = position ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = _parents(level)
        position //= 2
    return path


def is_included(leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether ``path`` leads from ``leaf`` at ``position`` of ``size`` leaves to ``root``."""
    if not 0 <= position < size:
        return False
    node = sha256(b"\0" + leaf).digest()
    steps = iter(path)
    last = size - 1  # the last position on the current level
    while last > 0:
        if position % 2 == 1 or position < last:
            sibling = next(steps, None)
            if sibling is None:
                return False
            pair = sibling + node if position % 2 == 1 else node + sibling
            node = sha256(b"\1" + pair).digest()
        position //= 2
        last //= 2
    return node == root and next(steps, None) is None


def _leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    return [sha256(b"\0" + leaf).digest() for leaf in leaves]


def _parents(level: list[bytes]) -> list[bytes]:
    """Hash neighbours in pairs; a last one without a neighbour goes up as it is."""
    parents = [
        sha256(b"\1" + left + right).digest()
        for left, right in zip(level[::2], level[1::2], strict=False)
    ]
    if len(level) % 2:
        parents.append(level[-1])
    return parents
