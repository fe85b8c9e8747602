"""The resolver: meets the peers in turn, notes what it saw of each, and answers who asked."""

import logging
import time
from collections.abc import Callable

from chain.errors import BranchTooLarge, InvalidBlock, MinequeueError
from chain.ledger import Ledger, Outcome, Sight, Turn
from chain.moment import is_ahead
from workers.peers.meeting import Meeting
from workers.peers.node import Node, PeerError

MEETING_S = 60.0  # the longest that one peer may take
RUN_S = 120  # after it no other peer is met in this run
_LONGEST_PAUSE_S = {"away": 30, "faulty": 600, "not allowed": 600}  # before it is asked again
_UNSEEN = frozenset({"away", "not allowed"})
_log = logging.getLogger(__name__)


class _OutOfTime(PeerError):
    """The meeting took longer than a minute."""


class _TurnLost(MinequeueError):
    """The resolver's lease ended, and another began."""


class Resolver:
    """Resolves conflicts with the peers.

    Args:
        ledger: our chain, and what is known of the peers.
        call: makes a node of an address; what is wrong with the address, its methods tell.
        period_s: after so long all peers are met, whether or not anybody asked.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ledger: Ledger,
        call: Callable[[str], Node],
        period_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._call = call
        self._period_s = period_s
        self._clock = clock

    def is_due(self) -> bool:
        """Tell whether the peers should be met now, and nobody meets them.

        Raises:
            LedgerUnavailable: the server is away.
        """
        tip = self._ledger.blocks.tip().header.hash
        return self._ledger.network.is_due(tip, self._period_s)

    def run(self) -> Outcome | None:
        """Meet all peers once; None where another resolver does, or took over.

        Raises:
            LedgerUnavailable: the server is away; the requests are served by the next turn.
        """
        network = self._ledger.network
        turn = network.take_turn()
        if turn is None:
            return None
        try:
            return self._meet_all(turn)
        except _TurnLost:
            _log.warning("another resolver began; this one ends")
            return None

    def _meet_all(self, turn: Turn) -> Outcome:
        network = self._ledger.network
        end = self._clock() + RUN_S
        # what changes while they are met, some were not told of; so it counts as not told
        tip = self._ledger.blocks.tip().header.hash
        asked = faults = replaced = 0
        # whom nobody met for the longest time first
        for address, before in sorted(network.peers().items(), key=lambda item: item[1].next_ms):
            if self._clock() > end:
                tip = b""
                break
            pause_ms = 1000 * _pause_s(before.state, before.failures)
            if is_ahead(before.next_ms, network.now_ms(), pause_ms):
                continue
            sight, changed = self._meet(address, before, turn)
            network.note(address, sight)
            asked += 1
            faults += bool(sight.failures)
            replaced += changed
        outcome = Outcome(bool(replaced), asked, faults)
        network.finish(turn, outcome, tip)
        return outcome

    def _meet(self, address: str, before: Sight, turn: Turn) -> tuple[Sight, bool]:
        deadline = self._clock() + MEETING_S

        def step() -> None:
            if self._clock() > deadline:
                raise _OutOfTime
            if not self._ledger.network.renew(turn):
                raise _TurnLost

        meeting = Meeting(self._ledger, self._call(address), step)
        state, reason = "faulty", ""
        try:
            state = meeting.run()
        except _OutOfTime as error:
            # a long chain is taken over in many meetings
            state, reason = ("ahead", "") if meeting.replaced else (state, str(error))
        except PeerError as error:
            state, reason = error.state, str(error)
        except BranchTooLarge as error:
            reason = str(error)
        except InvalidBlock as error:
            reason = f"It sent an invalid block: {error}"
        if reason:
            _log.warning("peer %s: %s", address, reason)
        return self._see(meeting, before, state, reason), meeting.replaced

    def _see(self, meeting: Meeting, before: Sight, state: str, reason: str) -> Sight:
        now_ms = self._ledger.network.now_ms()
        failures = before.failures + 1 if reason else 0
        return Sight(
            state=state,
            reason=reason,
            seen_ms=before.seen_ms if state in _UNSEEN else now_ms,
            index=meeting.theirs.header.index if meeting.theirs else before.index,
            failures=failures,
            next_ms=now_ms + 1000 * _pause_s(state, failures),
        )


def _pause_s(state: str, failures: int) -> int:
    """How long a peer is left alone after so many failures in a row."""
    return min(2**failures, _LONGEST_PAUSE_S[state]) if failures else 0
