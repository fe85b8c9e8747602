"""SHA-256 of many nonces at once, one in each lane of a vector; for any processor.

FIPS 180-4, 6.2.2, written with vectors for words. LLVM finds the rotations and three-operand logic
that AVX-512 has, and shifts and ors elsewhere.
"""

from typing import Any

from llvmlite import ir

from workers.kernels.loop import PADDING, U32, Given, Value
from workers.kernels.sha256 import ROUND_CONSTANTS


class Vectors:
    """SHA-256 in vectors.

    Args:
        lanes: how many 32-bit words a vector has.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self._vector = ir.VectorType(U32, lanes)

    def is_hit(self, code: Any, module: Any, given: Given, low: Value) -> Value:
        """See :class:`workers.kernels.loop.Hashing`."""
        vector = self._vector
        rotation = ir.Function(
            module, ir.FunctionType(vector, [vector] * 3), name=f"llvm.fshr.v{self.lanes}i32"
        )

        def same(word: int) -> Value:
            return ir.Constant(vector, [word] * self.lanes)

        def spread(word: Value) -> Value:
            first = code.insert_element(ir.Constant(vector, ir.Undefined), word, U32(0))
            return code.shuffle_vector(first, ir.Constant(vector, ir.Undefined), same(0))

        def rotate(x: Value, bits: int) -> Value:
            return code.call(rotation, [x, x, same(bits)])

        def xor(x: Value, y: Value, z: Value) -> Value:
            return code.xor(code.xor(x, y), z)

        def add(*terms: Value) -> Value:
            total = terms[0]
            for term in terms[1:]:
                total = code.add(total, term)
            return total

        nonces = code.add(spread(low), ir.Constant(vector, list(range(self.lanes))))
        words = [*map(spread, given.words), nonces, *map(same, PADDING)]
        for t in range(16, 64):
            near, far = words[t - 2], words[t - 15]
            s1 = xor(rotate(near, 17), rotate(near, 19), code.lshr(near, same(10)))
            s0 = xor(rotate(far, 7), rotate(far, 18), code.lshr(far, same(3)))
            words.append(add(s1, words[t - 7], s0, words[t - 16]))

        a, b, c, d, e, f, g, h = state = [spread(word) for word in given.state]
        for word, constant in zip(words, ROUND_CONSTANTS, strict=True):
            s1 = xor(rotate(e, 6), rotate(e, 11), rotate(e, 25))
            choice = code.xor(g, code.and_(e, code.xor(f, g)))
            t1 = add(h, same(constant), word, s1, choice)
            s0 = xor(rotate(a, 2), rotate(a, 13), rotate(a, 22))
            majority = code.xor(code.and_(a, b), code.and_(c, code.xor(a, b)))
            a, b, c, d, e, f, g, h = add(t1, s0, majority), a, b, c, add(d, t1), e, f, g

        # the hash's first word decides; what only the others need, LLVM leaves out
        hits = code.icmp_unsigned("<=", add(a, state[0]), spread(given.bound))
        return code.bitcast(hits, ir.IntType(self.lanes))
