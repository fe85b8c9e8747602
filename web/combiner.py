"""Submissions that arrive together go to the ledger together.

A call of the server costs about as much for fifty transactions as for one, and it is the
costliest part of a submission. No thread of its own: of those that wait, the first to get the
lock takes everybody's submission along, and the others find theirs answered.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chain.errors import LedgerUnavailable, MinequeueError
from chain.ledger import Submission, Verdict


@dataclass(slots=True)
class _Waiting:
    submission: Submission
    outcome: Verdict | MinequeueError | None = None


class Combiner:
    """Combines submissions of many threads.

    Args:
        submit: takes submissions to the ledger and answers each.
        most: about how many transactions one call may carry, so that none takes the server long.
    """

    def __init__(
        self, submit: Callable[[Sequence[Submission]], list[Verdict]], *, most: int
    ) -> None:
        self._submit = submit
        self._most = most
        self.waiting: deque[_Waiting] = deque()  # what no call carries yet
        self._turn = threading.Lock()

    def submit(self, submission: Submission) -> Verdict:
        """Take ``submission`` to the ledger, alone or with others.

        Raises:
            LedgerUnavailable, QueueFull: see :meth:`chain.ledger.mempool.Mempool.submit`.
        """
        mine = _Waiting(submission)
        self.waiting.append(mine)
        while mine.outcome is None:
            with self._turn:
                if mine.outcome is None:
                    self._flush()
        if isinstance(mine.outcome, MinequeueError):
            raise mine.outcome
        return mine.outcome

    def _flush(self) -> None:
        together: list[_Waiting] = []
        size = 0
        while self.waiting and (
            not together or size + len(self.waiting[0].submission.transactions) <= self._most
        ):
            together.append(self.waiting.popleft())
            size += len(together[-1].submission.transactions)
        try:
            verdicts = self._submit([waiting.submission for waiting in together])
        except MinequeueError as error:
            if isinstance(error, LedgerUnavailable):
                # they have waited for the server too, and a call of theirs would wait once more
                together += self._take_all()
            for waiting in together:
                waiting.outcome = error
        except BaseException as error:
            # a fault of ours: nobody may wait for ever, and the fault is shown by its own thread
            for waiting in together:
                waiting.outcome = MinequeueError(f"A submission failed: {type(error).__name__}.")
            raise
        else:
            for waiting, verdict in zip(together, verdicts, strict=True):
                waiting.outcome = verdict

    def _take_all(self) -> list[_Waiting]:
        return [self.waiting.popleft() for _ in range(len(self.waiting))]
