"""SHA-256 by the processor's own instructions, for two nonces in turn so that they overlap.

In turn means four rounds of the one, then four of the other: a nonce's rounds wait for each other,
and a processor that looks 200 instructions ahead does not see the other nonce's behind them.

Both instruction sets work on vectors of four words and differ in how many rounds an instruction
does and how the state is laid out. Sources: Intel's Intrinsics Guide, "SHA"; Arm Architecture
Reference Manual, "SHA256H" and what stands beside it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from llvmlite import ir

from minequeue.workers.kernels.loop import PADDING, U32, Given
from minequeue.workers.kernels.sha256 import ROUND_CONSTANTS, Value

_LANES = 2
_FOUR = ir.VectorType(U32, 4)
_UNDEFINED = ir.Constant(_FOUR, ir.Undefined)
_MASK = ir.IntType(8)  # one bit for each nonce
State: TypeAlias = tuple[Value, Value]


class X86Sha:
    """The SHA extensions of x86: an instruction does two rounds."""

    lanes = _LANES

    def is_hit(self, code: Any, module: Any, given: Given, low: Value) -> Value:
        """See :class:`workers.kernels.loop.Hashing`."""
        rounds = _declare(module, "llvm.x86.sha256rnds2", 3)
        schedule_1 = _declare(module, "llvm.x86.sha256msg1", 2)
        schedule_2 = _declare(module, "llvm.x86.sha256msg2", 2)
        a, b, c, d, e, f, g, h = given.state

        def do_rounds(t: int, words: list[Value], state: State) -> State:
            abef, cdgh = state
            if t >= 4:  # noqa: PLR2004  # four vectors are given, the rest follows
                partly = code.add(
                    code.call(schedule_1, [words[t - 4], words[t - 3]]),
                    code.shuffle_vector(words[t - 2], words[t - 1], _four(1, 2, 3, 4)),
                )
                words.append(code.call(schedule_2, [partly, words[t - 1]]))
            keyed = code.add(words[t], _constants(t))
            # the first two of these four do not wait for the nonce, which is the last
            early = code.add(_pack(code, given.words[4:]), _constants(1)) if t == 1 else keyed
            late = code.shuffle_vector(keyed, _UNDEFINED, _four(2, 3, 0, 0))
            for pair in (early, late):
                abef, cdgh = code.call(rounds, [cdgh, abef, pair]), abef
            return abef, cdgh

        a, b, c, d, e, f, g, h = given.state
        state = _pack(code, (f, e, b, a)), _pack(code, (h, g, d, c))
        return _compare_each(code, given, low, state=state, do_rounds=do_rounds, place=3)


class ArmSha:
    """The SHA2 extension of ARMv8: a pair of instructions does four rounds."""

    lanes = _LANES

    def is_hit(self, code: Any, module: Any, given: Given, low: Value) -> Value:
        """See :class:`workers.kernels.loop.Hashing`."""
        rounds_1 = _declare(module, "llvm.aarch64.crypto.sha256h", 3)
        rounds_2 = _declare(module, "llvm.aarch64.crypto.sha256h2", 3)
        schedule_1 = _declare(module, "llvm.aarch64.crypto.sha256su0", 2)
        schedule_2 = _declare(module, "llvm.aarch64.crypto.sha256su1", 3)

        def do_rounds(t: int, words: list[Value], state: State) -> State:
            abcd, efgh = state
            if t >= 4:  # noqa: PLR2004  # four vectors are given, the rest follows
                partly = code.call(schedule_1, [words[t - 4], words[t - 3]])
                words.append(code.call(schedule_2, [partly, words[t - 2], words[t - 1]]))
            keyed = code.add(words[t], _constants(t))
            return code.call(rounds_1, [abcd, efgh, keyed]), code.call(
                rounds_2, [efgh, abcd, keyed]
            )

        state = _pack(code, given.state[:4]), _pack(code, given.state[4:])
        return _compare_each(code, given, low, state=state, do_rounds=do_rounds, place=0)


def _compare_each(
    code: Any,
    given: Given,
    low: Value,
    *,
    state: State,
    do_rounds: Callable[[int, list[Value], State], State],
    place: int,
) -> Value:
    """A bit for each nonce: whether its hash's first word is within the bound.

    Args:
        code: the ir.IRBuilder to write with.
        given: what the loop holds.
        low: the lower half of the first nonce.
        state: the midstate as the instructions want it.
        do_rounds: writes rounds 4t to 4t + 3, by the vectors of words so far, to which it adds.
        place: where the first vector of the state has the hash's first word.
    """
    nonces = [
        [
            _pack(code, given.words[:4]),
            _pack(code, [*given.words[4:], code.add(low, U32(lane))]),
            _four(*PADDING[:4]),
            _four(*PADDING[4:]),
        ]
        for lane in range(_LANES)
    ]
    states = [state] * _LANES
    for t in range(16):
        states = [do_rounds(t, words, each) for words, each in zip(nonces, states, strict=True)]
    hits = _MASK(0)
    for lane, (first, _) in enumerate(states):
        word = code.add(code.extract_element(first, U32(place)), given.state[0])
        is_hit = code.zext(code.icmp_unsigned("<=", word, given.bound), _MASK)
        hits = code.or_(hits, code.shl(is_hit, _MASK(lane)))
    return hits


def _declare(module: Any, name: str, arguments: int) -> Any:
    return ir.Function(module, ir.FunctionType(_FOUR, [_FOUR] * arguments), name=name)


def _four(*words: int) -> Value:
    return ir.Constant(_FOUR, list(words))


def _constants(t: int) -> Value:
    return _four(*ROUND_CONSTANTS[4 * t : 4 * t + 4])


def _pack(code: Any, words: Sequence[Value]) -> Value:
    packed = _UNDEFINED
    for place, word in enumerate(words):
        packed = code.insert_element(packed, word, U32(place))
    return packed
