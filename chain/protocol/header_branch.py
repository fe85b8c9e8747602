"""A branch of headers: what would follow a block of ours, each header checked as it comes.

Headers first: 96 bytes and one hash tell whether a branch is worth its transactions, and to make
a header costs its sender the work that it claims.
"""

from collections.abc import Callable, Sequence

from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.validation import MEDIAN_SPAN, validate_header


class HeaderBranch:
    """Headers that follow one another from a block that is known.

    Args:
        fork: the block that they follow.
        work: the cumulative work up to it.
        timestamps: of the last 11 blocks up to it, oldest first, its own included.
        find_least_bits: gives the network's least work of the block at an index.
        revision: of the rules that it gives.

    Attributes:
        fork: as given.
        revision: as given.
        headers: those that were checked, in order.
    """

    def __init__(
        self,
        fork: Header,
        work: int,
        timestamps: Sequence[int],
        *,
        find_least_bits: Callable[[int], int],
        revision: str,
    ) -> None:
        self.fork = fork
        self.revision = revision
        self.headers: list[Header] = []
        self._works = [work]
        self._timestamps = list(timestamps)
        self._find_least_bits = find_least_bits

    @property
    def tip(self) -> Header:
        """The last header, or the fork where there is none."""
        return self.headers[-1] if self.headers else self.fork

    @property
    def work(self) -> int:
        """The cumulative work up to the tip."""
        return self._works[-1]

    def work_at(self, index: int) -> int:
        """The cumulative work up to the block at ``index``, from the fork's to the tip's."""
        return self._works[index - self.fork.index]

    def append(self, header: Header, *, now_ms: int) -> None:
        """Add the next header.

        Args:
            header: what should follow the tip.
            now_ms: the validator's clock, Unix milliseconds.

        Raises:
            InvalidBlock: it may not follow.
        """
        validate_header(
            header,
            self.tip,
            self._timestamps,
            now_ms=now_ms,
            minimum_bits=self._find_least_bits(header.index),
        )
        self.headers.append(header)
        self._works.append(self.work + header.work)
        self._timestamps = [*self._timestamps[1 - MEDIAN_SPAN :], header.timestamp]

    def count_until_heavier(self, work: int) -> int | None:
        """How many headers it takes to have more than ``work``; None where all have not."""
        for count, reached in enumerate(self._works):
            if reached > work:
                return count
        return None
