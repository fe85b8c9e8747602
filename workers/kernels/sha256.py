"""SHA-256 by the letter of FIPS 180-4, in LLVM's intermediate language."""

from collections.abc import Sequence
from functools import reduce
from itertools import count, islice
from math import isqrt
from typing import Any, TypeAlias

from llvmlite import ir

Value: TypeAlias = Any  # llvmlite has no types
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


def write_rounds(
    code: Any, module: Any, kind: Any, words: Sequence[Value], state: Sequence[Value]
) -> list[Value]:
    """Write the 64 rounds over one block; 6.2.2 without its last step.

    LLVM finds the rotations and three-operand logic that a processor has, and shifts and ors
    elsewhere.

    Args:
        code: the ir.IRBuilder to write with.
        module: the ir.Module, to declare intrinsics in.
        kind: the type of each word: a 32-bit integer, or a vector of them, each hashed by itself.
        words: the block's 16.
        state: eight words.

    Returns:
        The state after the rounds, to which the state before them is to be added.
    """
    lanes = getattr(kind, "count", 0)
    name = f"llvm.fshr.v{lanes}i32" if lanes else "llvm.fshr.i32"
    rotation = module.globals.get(name) or ir.Function(
        module, ir.FunctionType(kind, [kind] * 3), name=name
    )

    def same(word: int) -> Value:
        return ir.Constant(kind, [word] * lanes if lanes else word)

    def rotate(x: Value, bits: int) -> Value:
        return code.call(rotation, [x, x, same(bits)])

    def xor(x: Value, y: Value, z: Value) -> Value:
        return code.xor(code.xor(x, y), z)

    def add(*terms: Value) -> Value:
        return reduce(code.add, terms)

    words = [*words]
    for t in range(16, 64):
        near, far = words[t - 2], words[t - 15]
        s1 = xor(rotate(near, 17), rotate(near, 19), code.lshr(near, same(10)))
        s0 = xor(rotate(far, 7), rotate(far, 18), code.lshr(far, same(3)))
        words.append(add(s1, words[t - 7], s0, words[t - 16]))

    a, b, c, d, e, f, g, h = state
    for word, constant in zip(words, ROUND_CONSTANTS, strict=True):
        s1 = xor(rotate(e, 6), rotate(e, 11), rotate(e, 25))
        choice = code.xor(g, code.and_(e, code.xor(f, g)))
        t1 = add(h, same(constant), word, s1, choice)
        s0 = xor(rotate(a, 2), rotate(a, 13), rotate(a, 22))
        majority = code.xor(code.and_(a, b), code.and_(c, code.xor(a, b)))
        a, b, c, d, e, f, g, h = add(t1, s0, majority), a, b, c, add(d, t1), e, f, g
    return [a, b, c, d, e, f, g, h]
