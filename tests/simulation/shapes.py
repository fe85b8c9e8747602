"""Shapes of load: what share of the highest rate arrives at which part of the time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TEETH = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """How a load rises and falls.

    Attributes:
        share: from the part of the time that is over, 0 to 1, to the share of the highest rate.
        bursts: how often it rises and falls.
    """

    share: Callable[[float], float]
    bursts: int


def _step(part: float) -> float:
    return 1.0 if 0.1 <= part < 0.7 else 0.0  # the shape itself, as below


def _ramp(part: float) -> float:
    return max(0.0, 1 - abs(2 * part - 1))


def _saw_tooth(part: float) -> float:
    return part * _TEETH % 1 if part < 1 else 0.0


def _burst(part: float) -> float:
    return 1.0 if part < 0.2 or 0.5 <= part < 0.7 else 0.0


SHAPES: Mapping[str, Shape] = {
    "step": Shape(_step, 1),
    "ramp": Shape(_ramp, 1),
    "saw-tooth": Shape(_saw_tooth, _TEETH),
    "burst": Shape(_burst, 2),
}
