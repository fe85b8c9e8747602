"""SHA-256 of many nonces at once, one in each lane of a vector; for any processor."""

from typing import Any

from llvmlite import ir

from minequeue.workers.kernels.loop import PADDING, U32, Given
from minequeue.workers.kernels.sha256 import Value, write_rounds


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

        def same(word: int) -> Value:
            return ir.Constant(vector, [word] * self.lanes)

        def spread(word: Value) -> Value:
            first = code.insert_element(ir.Constant(vector, ir.Undefined), word, U32(0))
            return code.shuffle_vector(first, ir.Constant(vector, ir.Undefined), same(0))

        nonces = code.add(spread(low), ir.Constant(vector, list(range(self.lanes))))
        words = [*map(spread, given.words), nonces, *map(same, PADDING)]
        rounds = write_rounds(code, module, vector, words, [*map(spread, given.state)])
        # the hash's first word decides; what only the others need, LLVM leaves out
        first_words = code.add(rounds[0], spread(given.state[0]))
        hits = code.icmp_unsigned("<=", first_words, spread(given.bound))
        return code.bitcast(hits, ir.IntType(self.lanes))
