"""The loop that all kernels share, in LLVM's intermediate language; each puts its hashing into it.

    u64 search(u32 context[23], u32 low, u64 count, u32 bound)

looks through the nonces high:low .. high:(low + count - 1), whose upper 32 bits do not change, and
gives the offset of the first one whose hash begins with a word of at most ``bound``; ``count`` or
more where there is none. It looks at so many nonces at once as the kernel has lanes, beyond the
last one too. The context is the header's words before the nonce's lower half: 16 of the first
block, of which the midstate is made once, and 7 of the second, the last the nonce's upper half.

Whatever does not depend on the lower half is written as if it were done each time: LLVM moves it
out of the loop, a tenth of the rounds and the first words of the message schedule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llvmlite import ir

from minequeue.workers.kernels.sha256 import INITIAL_STATE, Value, write_rounds

U1, U32, U64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
SEARCH = "search"
BLOCK_WORDS, FIXED_WORDS = 16, 7
# the words after the nonce: a one bit, zeros, and the header's length in bits (FIPS 180-4, 5.1.1)
PADDING = (0x8000_0000, 0, 0, 0, 0, 0, 0, 96 * 8)


@dataclass(frozen=True, slots=True)
class Given:
    """What stays the same through the loop, as 32-bit values.

    Attributes:
        state: the midstate, eight words.
        words: the second block's first seven words.
        bound: the largest first word of a hit.
    """

    state: Sequence[Value]
    words: Sequence[Value]
    bound: Value


class Hashing(Protocol):
    """One way to do SHA-256 for several nonces at once."""

    lanes: int

    def is_hit(self, code: Any, module: Any, given: Given, low: Value) -> Value:
        """Write code that hashes the nonces from ``low`` on, one a lane.

        Args:
            code: the ir.IRBuilder to write with.
            module: the ir.Module, to declare intrinsics in.
            given: what the loop holds.
            low: the lower half of the first lane's nonce.

        Returns:
            An integer with one bit for each lane, the lowest for the first, set for a hit.
        """
        ...


def write_search(hashing: Hashing) -> Any:
    """Write the module that holds ``search`` done by ``hashing``."""
    module = ir.Module(SEARCH)
    function = ir.Function(
        module, ir.FunctionType(U64, [U32.as_pointer(), U32, U64, U32]), name=SEARCH
    )
    context, low, count, bound = function.args
    entry, head, found, onward, end = (
        function.append_basic_block(name) for name in ("entry", "head", "found", "onward", "end")
    )

    code = ir.IRBuilder(entry)
    words = [
        code.load(code.gep(context, [U32(place)])) for place in range(BLOCK_WORDS + FIXED_WORDS)
    ]
    initial = [*map(U32, INITIAL_STATE)]
    rounds = write_rounds(code, module, U32, words[:BLOCK_WORDS], initial)
    midstate = [code.add(before, after) for before, after in zip(initial, rounds, strict=True)]
    given = Given(midstate, words[BLOCK_WORDS:], bound)
    code.branch(head)

    code = ir.IRBuilder(head)
    offset = code.phi(U64)
    offset.add_incoming(U64(0), entry)
    hits = hashing.is_hit(code, module, given, code.add(low, code.trunc(offset, U32)))
    code.cbranch(code.icmp_unsigned("!=", hits, hits.type(0)), found, onward)

    code = ir.IRBuilder(found)
    lane = code.cttz(hits, U1(1))
    code.ret(code.add(offset, code.zext(lane, U64)))

    code = ir.IRBuilder(onward)
    following = code.add(offset, U64(hashing.lanes))
    offset.add_incoming(following, onward)
    code.cbranch(code.icmp_unsigned("<", following, count), head, end)

    ir.IRBuilder(end).ret(count)
    return module
