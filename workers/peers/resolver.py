"""The resolver: meets the peers side by side, notes what it saw of each, and answers who asked.

Peers whose answers take long are met beside the others and never in their places, and a run does
not wait for them: it ends while they are under way. The ledger compares the tip before it takes
over a branch, so whoever comes late changes nothing.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace

from minequeue.chain.errors import BranchTooLarge, InvalidBlock, MinequeueError
from minequeue.chain.ledger import Ledger, PeerStatus, Record, ResolveResult, ResolverLease
from minequeue.chain.moment import is_ahead
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header
from minequeue.workers.peers.meeting import Meeting
from minequeue.workers.peers.node import Node, PeerError

MAX_MEETINGS = 8  # peers that are met side by side, and as many slow ones beside them
SLOW_S = 2.0  # a peer is slow if one of its answers took longer
IDLE_TIMEOUT_S = 3.0  # for so long a run waits where no meeting ends, once one has ended
MEETING_TIMEOUT_S = 60.0  # the longest that one peer may take
RUN_S = 120  # after it no other peer is met in this run
_MAX_RETRY_DELAY_S = {"away": 30, "faulty": 600, "not allowed": 600}  # before it is asked again
_UNSEEN = frozenset({"away", "not allowed"})
_log = logging.getLogger(__name__)
T = TypeVar("T")


class _OutOfTime(PeerError):
    """The meeting took longer than a minute."""


class _LeaseLost(MinequeueError):
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
        self._adopting = threading.Lock()  # one branch at a time; peers are read meanwhile
        self._changed = threading.Condition()  # guards what follows, and each run's numbers
        self._under_way: dict[str, bool] = {}  # peers that are met, and whether they are slow

    def is_due(self) -> bool:
        """Tell whether the peers should be met now, and nobody meets them.

        Raises:
            LedgerUnavailable: the server is away.
        """
        tip = self._ledger.blocks.tip().header.hash
        return self._ledger.peers.is_due(tip, self._period_s)

    def run(self) -> ResolveResult | None:
        """Meet all peers once; None where another resolver does, or took over.

        Raises:
            LedgerUnavailable: the server is away; the requests are served by the next run.
        """
        peers = self._ledger.peers
        lease = peers.take_lease()
        if lease is None:
            return None
        try:
            return self._meet_all(lease)
        except _LeaseLost:
            _log.warning("another resolver began; this one ends")
            return None

    def _meet_all(self, lease: ResolverLease) -> ResolveResult:
        # what changes while they are met, some were not told of; so it counts as not told
        tip = self._ledger.blocks.tip().header.hash
        run = _Run(lease)
        is_late = self._meet_side_by_side(run)
        run.is_over = True  # before the lease ends: what is still under way goes on without it
        if run.error:
            raise run.error
        outcome = ResolveResult(bool(run.replaced), run.begun, run.faults)
        self._ledger.peers.finish(lease, outcome, b"" if is_late else tip)
        return outcome

    def _meet_side_by_side(self, run: "_Run") -> bool:
        """Meet those who are due; tell whether any but slow ones are left.

        Once one was met, it waits for no other that is slow: the next run is for them too.
        """
        end = self._clock() + RUN_S
        due = self._find_due()
        with self._changed:
            while True:
                due = self._begin(due, run)
                if run.error or not run.under_way or self._clock() > end:
                    break
                is_any_met = run.begun > len(run.under_way)
                if is_any_met and all(self._under_way[address] for address in run.under_way):
                    break
                if not self._changed.wait(IDLE_TIMEOUT_S) and is_any_met:
                    break
        return any(not before.slow for _, before in due)

    def _find_due(self) -> "list[tuple[str, PeerStatus]]":
        """Who may be asked now, the slow ones last; of each, whom nobody met for longest first."""
        now_ms = self._ledger.peers.now_ms()
        due = [
            (address, before)
            for address, before in self._ledger.peers.list_all().items()
            if not is_ahead(before.next_ms, now_ms, 1000 * _pause_s(before.state, before.failures))
        ]
        return sorted(due, key=lambda item: (item[1].slow, item[1].next_ms))

    def _begin(
        self, due: "list[tuple[str, PeerStatus]]", run: "_Run"
    ) -> "list[tuple[str, PeerStatus]]":
        """Begin to meet as many as may be met at once; those that have to wait are given back."""
        left = []
        for address, before in due:
            if address in self._under_way:
                continue  # since an earlier run, which did not wait for it
            if list(self._under_way.values()).count(before.slow) >= MAX_MEETINGS:
                left.append((address, before))
                continue
            self._under_way[address] = before.slow
            run.begun += 1
            run.under_way.add(address)
            # a daemon: no shutdown waits for a peer
            threading.Thread(
                target=self._meet_and_note, args=(address, before, run), daemon=True
            ).start()
        return left

    def _meet_and_note(self, address: str, before: PeerStatus, run: "_Run") -> None:
        error: Exception | None = None
        failed = replaced = False
        try:
            status, replaced = self._meet(address, before, run)
            failed = bool(status.failures)
            self._ledger.peers.note(address, status)
        except Exception as found:  # noqa: BLE001  # the run raises it, in its own thread
            error = found
            if run.is_over and not isinstance(error, MinequeueError):
                _log.exception("the meeting with %s ended", address)
        with self._changed:
            del self._under_way[address]
            run.under_way.remove(address)
            run.error = run.error or error
            run.faults += failed
            run.replaced += replaced
            self._changed.notify_all()

    def _meet(self, address: str, before: PeerStatus, run: "_Run") -> tuple[PeerStatus, bool]:
        deadline = self._clock() + MEETING_TIMEOUT_S

        def step() -> None:
            if self._clock() > deadline:
                raise _OutOfTime
            is_ours = run.is_over or self._ledger.peers.renew(run.lease)
            if not is_ours and not run.is_over:  # it may have ended in between
                raise _LeaseLost

        peer = _TimedNode(self._call(address))
        meeting = Meeting(self._ledger, peer, step, self._adopting)
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
        status = self._summarise(meeting, before, state, reason)
        return replace(status, slow=peer.longest_s > SLOW_S), meeting.replaced

    def _summarise(
        self, meeting: Meeting, before: PeerStatus, state: str, reason: str
    ) -> PeerStatus:
        now_ms = self._ledger.peers.now_ms()
        failures = before.failures + 1 if reason else 0
        return PeerStatus(
            state=state,
            reason=reason,
            seen_ms=before.seen_ms if state in _UNSEEN else now_ms,
            index=meeting.theirs.header.index if meeting.theirs else before.index,
            failures=failures,
            next_ms=now_ms + 1000 * _pause_s(state, failures),
        )


def _pause_s(state: str, failures: int) -> int:
    """How long a peer is left alone after so many failures in a row."""
    return min(2**failures, _MAX_RETRY_DELAY_S[state]) if failures else 0


@dataclass(slots=True)
class _Run:
    """One lease's meetings.

    Attributes:
        lease: as it was taken.
        begun: how many peers it began to meet.
        under_way: those of them who are met still.
        faults: how many were faulty or away.
        replaced: how many made our chain another one.
        error: of our own side, which ends the run.
        is_over: nobody waits for it any more.
    """

    lease: ResolverLease
    begun: int = 0
    under_way: set[str] = field(default_factory=set)
    faults: int = 0
    replaced: int = 0
    error: Exception | None = None
    is_over: bool = False


class _TimedNode:
    """A node, and how long its longest answer took, in seconds."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.longest_s = 0.0

    def tip(self) -> Record:
        """See :class:`workers.peers.node.Node`, as for the rest."""
        return self._time(self._node.tip)

    def headers(self, first: int, limit: int) -> list[Header]:
        return self._time(lambda: self._node.headers(first, limit))

    def block(self, header: Header) -> Block:
        return self._time(lambda: self._node.block(header))

    def announce(self) -> None:
        self._time(self._node.announce)

    def _time(self, ask: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return ask()
        finally:
            self.longest_s = max(self.longest_s, time.monotonic() - began)
