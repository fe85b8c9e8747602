"""One meeting with a peer: who is ahead, and taking over what is heavier.

Headers first, in pages; bodies only where the headers show more work than our chain has. Nothing
that a peer says is believed: its work is counted from headers that were checked.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from minequeue.chain.errors import BranchTooLarge
from minequeue.chain.ledger import AdoptResult, Branch, Ledger, Record
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.header_branch import HeaderBranch
from minequeue.workers.peers.node import Node, PeerFaulty

PAGE = 500  # headers in one answer
MAX_HEADERS = 100_000  # that a branch may need until it is heavier; 10 MB of them
_BATCH = 64  # blocks that are taken over at once, where more work does not need more
_BATCH_BYTES = 16 * 2**20
_FIRST_STEP = 16  # blocks back, in search of the last one in common
_NOBODY_ELSE = nullcontext()  # where one meeting is all that there is
_log = logging.getLogger(__name__)


class Meeting:
    """Meets one peer.

    Args:
        ledger: our chain.
        peer: the other node.
        step: called before each request; it may raise to end the meeting.
        adopting: is held while a branch that was read is taken over.
    """

    def __init__(
        self,
        ledger: Ledger,
        peer: Node,
        step: Callable[[], None],
        adopting: "AbstractContextManager[object]" = _NOBODY_ELSE,
    ) -> None:
        self._ledger = ledger
        self._peer = peer
        self._step = step
        self._adopting = adopting
        self.replaced = False
        self.theirs: Record | None = None

    def run(self) -> str:
        """Compare the chains, take over a heavier one, tell of ours where it is the heavier.

        Returns:
            "same", "ahead" (it was, and we took over what it had) or "behind".

        Raises:
            PeerError: it does not answer, or breaks a rule.
            InvalidBlock: what it sent breaks a rule.
            BranchTooLarge: its branch is more than a node takes over.
        """
        self._step()
        self.theirs = theirs = self._peer.tip()
        ours = self._ledger.blocks.tip()
        if theirs.cumulative_work > ours.cumulative_work:
            self._take_over(theirs)
            return "ahead"
        if theirs.cumulative_work < ours.cumulative_work:
            self._step()
            self._peer.announce()
            return "behind"
        return "same"

    def _take_over(self, theirs: Record) -> None:
        fork = self._find_fork(theirs.header.index)
        headers = self._ledger.branches.begin_headers(fork)
        while True:
            best = self._ledger.blocks.tip()
            if theirs.cumulative_work <= best.cumulative_work:
                return  # by now: our own miners went on, or all that it claimed is taken over
            self._read_until_heavier(headers, best.cumulative_work)
            branch = self._ledger.branches.stage(headers)
            if not self._adopt(headers, branch):
                return  # ours became another meanwhile; the next meeting looks anew
            self.replaced = True
            rest = headers.headers[branch.count :]
            headers = self._ledger.branches.begin_headers(
                Record(
                    headers.headers[branch.count - 1],
                    headers.work_at(headers.fork.index + branch.count),
                )
            )
            self._check(headers, rest)

    def _find_fork(self, last: int) -> Record:
        """The last block that both chains have.

        Raises:
            PeerFaulty: there is none.
        """
        ours = self._ledger.blocks.tip().header.index
        low = min(ours, last)
        step = _FIRST_STEP
        while (found := self._find_last_common(low, 1)) is None:
            if low == 1:
                raise PeerFaulty("It has another genesis block, so it is of another network.")
            low = max(1, low - step)
            step *= 4
        while (more := self._find_last_common(found.header.index + 1, PAGE)) is not None:
            found = more
        return found

    def _find_last_common(self, first: int, limit: int) -> Record | None:
        """The last of a page of our records that the peer has too, None where the first is not."""
        ours = self._ledger.blocks.read_records(first, first + limit - 1)
        if not ours:
            return None
        self._step()
        common = None
        for record, header in zip(ours, self._peer.headers(first, len(ours)), strict=False):
            if record.header != header:
                break
            common = record
        return common

    def _read_until_heavier(self, headers: HeaderBranch, work: int) -> None:
        """Read headers until they show more than ``work``.

        Raises:
            PeerFaulty: they do not.
        """
        while headers.work <= work:
            if len(headers.headers) >= MAX_HEADERS:
                raise BranchTooLarge
            self._step()
            page = self._peer.headers(headers.tip.index + 1, PAGE)
            if not page:
                raise PeerFaulty("Its headers show less work than it claims.")
            self._check(headers, page)

    def _check(self, headers: HeaderBranch, page: list[Header]) -> None:
        now_ms = self._ledger.peers.now_ms()
        for header in page:
            headers.append(header, now_ms=now_ms)

    def _adopt(self, headers: HeaderBranch, branch: Branch) -> bool:
        """Read blocks and offer them; tell whether they were taken over."""
        while True:
            best = self._ledger.blocks.tip()
            if not self._is_ours(headers.fork):
                return False
            needed = headers.count_until_heavier(best.cumulative_work)
            if needed is None:
                return False
            if self._read_blocks(headers, branch, needed, best):
                with self._adopting:
                    answer = branch.adopt(best)
                if answer is not AdoptResult.STALE:
                    return True
            if self._ledger.blocks.tip() == best:
                return False  # what was staged is gone
            _log.info("the tip moved while a branch was taken over; trying again")

    def _read_blocks(
        self, headers: HeaderBranch, branch: Branch, needed: int, best: Record
    ) -> bool:
        """Read so many blocks, and more if there is room, as long as ``best`` is our tip."""
        while branch.count < needed or self._has_room(headers, branch):
            self._step()
            branch.add(self._peer.block(headers.headers[branch.count]))
            if self._ledger.blocks.tip() != best:
                return False  # another peer may have given us the same blocks
        return True

    def _has_room(self, headers: HeaderBranch, branch: Branch) -> bool:
        return branch.count < min(_BATCH, len(headers.headers)) and branch.size < _BATCH_BYTES

    def _is_ours(self, fork: Header) -> bool:
        return self._ledger.blocks.read_header(fork.index) == fork
