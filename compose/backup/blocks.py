"""A backup's blocks on their way into the ledger: every rule checked, then taken over in steps.

By the entrance of blocks that other nodes mined, so a backup is believed no more than a peer, and
what was taken over before an interruption is a chain like any other.
"""

from minequeue.chain.ledger import AdoptResult, Branch, Ledger, Record
from minequeue.chain.protocol.block import Block
from minequeue.compose.backup.errors import BackupRefused

_STEP = 64  # blocks that are taken over at once, where more work does not need more
_STEP_BYTES = 8 * 2**20  # of their transactions; the swap keeps the server for a part of a second


class BlockTaker:
    """Takes blocks in order of their index.

    Args:
        ledger: takes them over.
        first: the index of the first of them.

    Attributes:
        known: how many the ledger had already.
        taken: how many were taken over.

    Raises:
        BackupRefused: the ledger does not reach to the block before the first.
    """

    def __init__(self, ledger: Ledger, first: int) -> None:
        self._ledger = ledger
        tip = ledger.blocks.tip().header.index
        self._ours = ledger.blocks.iterate_records(first, tip)
        self._fork = next(ledger.blocks.iterate_records(first - 1, first - 1), None)
        if first > 1 and self._fork is None:
            raise BackupRefused(
                f"The backup begins with block {first} and this node ends with block {tip}; import "
                "the blocks between them first."
            )
        self._branch: Branch | None = None
        self.known = self.taken = 0

    def add(self, block: Block) -> None:
        """Take the next block.

        Raises:
            InvalidBlock: it breaks a rule.
            BackupRefused: it is another network's genesis block.
            BranchTooLarge: it takes too many blocks until they are heavier than the ledger's.
        """
        if self._branch is None:
            ours = next(self._ours, None)
            if ours is not None and ours.header == block.header:
                self._fork = ours
                self.known += 1
                return
        branch = self._branch or self._begin()
        self._headers.append(block.header, now_ms=self._ledger.peers.now_ms())
        branch.add(block)
        if branch.count >= _STEP or branch.size >= _STEP_BYTES:
            self._adopt(branch)

    def finish(self) -> None:
        """Take over what is left.

        Raises:
            BackupRefused: the ledger's own chain is at least as heavy.
        """
        branch = self._branch
        if branch is not None and branch.count and not self._adopt(branch):
            raise BackupRefused(
                f"After block {self._headers.fork.index} this node has another chain that is at "
                "least as heavy, and keeps it; import into an empty server to have both."
            )

    def _begin(self) -> Branch:
        if self._fork is None:
            raise BackupRefused("The backup has the genesis block of another network.")
        return self._begin_headers(self._fork)

    def _adopt(self, branch: Branch) -> bool:
        """Let the ledger take over what was added, if that is heavier; tell whether it is."""
        headers = self._headers
        while True:
            best = self._ledger.blocks.tip()
            fork = self._ledger.blocks.read_header(headers.fork.index)
            if headers.work <= best.cumulative_work or fork != headers.fork:
                return False
            if branch.adopt(best) is not AdoptResult.STALE:
                break
            if self._ledger.blocks.tip() == best:
                raise BackupRefused("What was staged has expired; import the backup again.")
        self.taken += branch.count
        self._begin_headers(Record(headers.tip, headers.work))
        return True

    def _begin_headers(self, fork: Record) -> Branch:
        self._headers = self._ledger.branches.begin_headers(fork)
        self._branch = self._ledger.branches.stage(self._headers)
        return self._branch
