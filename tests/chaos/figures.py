"""What a run measured: times by what they are times of, and what struck how often."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

BLOCK_INTERVAL_S = 0.3  # of the stacks that are struck
MAX_FAULT_S = 5.0  # a freeze; no other fault lasts longer by itself
RESTART_S = 10.0  # the goal: after it everything that died works again
DRAIN_S = 2.0  # for what waits then
# a transaction that was accepted as a fault began is in a block when all of these are over
BOUND_S = BLOCK_INTERVAL_S + MAX_FAULT_S + RESTART_S + DRAIN_S
_SHARES = (50, 99, 100)


@dataclass
class Figures:
    """What was measured, in seconds.

    Attributes:
        to_block: from a transaction's 202 to its block.
        resumed: from a server's return to the next block.
        moved: from the death of miners to the next block.
        clock: from a jump of the server's clock to the next block.
        struck: how often each fault happened.
        not_covered: why a fault could not be made to happen.
    """

    to_block: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    moved: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    not_covered: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        within = sum(took_s <= BOUND_S for took_s in self.to_block)
        return {
            "to_block_s": summarise(self.to_block),
            "bound_s": BOUND_S,
            "share_within_bound": within / len(self.to_block) if self.to_block else None,
            "resumed_after_server_restart_s": summarise(self.resumed),
            "moved_after_miners_died_s": summarise(self.moved),
            "mined_after_clock_jumped_s": summarise(self.clock),
            "restart_goal_s": RESTART_S,
            "struck": dict(sorted(self.struck.items())),
            "not_covered": self.not_covered,
        }


def summarise(values: Sequence[float]) -> dict[str, float]:
    """How many, and percentiles by nearest rank."""
    ordered = sorted(values)
    found: dict[str, float] = {"count": len(ordered)}
    if ordered:
        found |= {
            f"p{share}": round(ordered[math.ceil(len(ordered) * share / 100) - 1], 3)
            for share in _SHARES
        }
    return found
