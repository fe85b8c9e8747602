"""Submissions that arrive together go to the ledger together.

A call of the server costs about as much for fifty transactions as for one, and it is the
costliest part of a submission. No thread of its own: of those that wait, one carries everybody's
submission. When it is back it wakes each of those with their answer, and one of those that came
meanwhile, to carry on. Nobody has to wait for a call that is not theirs.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from minequeue.chain.errors import LedgerUnavailable, MinequeueError
from minequeue.chain.ledger import Submission, SubmitResult


class _Waiting:
    """One submission, and the thread that waits for its outcome.

    Attributes:
        outcome: set by the time that it is woken, unless it carries.
        carries: it was woken to take what waits to the ledger, itself first of all.
        wake: held until then.
    """

    __slots__ = ("carries", "outcome", "submission", "wake")
    outcome: SubmitResult | MinequeueError

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.carries = False
        self.wake = threading.Lock()
        self.wake.acquire()


class Combiner:
    """Combines submissions of many threads.

    Args:
        submit: takes submissions to the ledger and answers each.
        most: about how many transactions one call may carry, so that none takes the server long.
    """

    def __init__(
        self, submit: Callable[[Sequence[Submission]], list[SubmitResult]], *, most: int
    ) -> None:
        self._submit = submit
        self._most = most
        self.waiting: deque[_Waiting] = deque()  # what no call carries yet
        self._is_carried = False  # somebody is under way, or was woken to go
        self._guard = threading.Lock()  # of these two, never held for long

    def submit(self, submission: Submission) -> SubmitResult:
        """Take ``submission`` to the ledger, alone or with others.

        Raises:
            LedgerUnavailable, QueueFull: see :meth:`chain.ledger.mempool.Mempool.submit`.
        """
        mine = _Waiting(submission)
        with self._guard:
            self.waiting.append(mine)
            mine.carries, self._is_carried = not self._is_carried, True
        if not mine.carries:
            mine.wake.acquire()
        if mine.carries:
            self._carry()
        if isinstance(mine.outcome, MinequeueError):
            raise mine.outcome
        return mine.outcome

    def _carry(self) -> None:
        """Take the first in line to the ledger, wake them, and the one that is to follow."""
        together = self._take()
        try:
            results = self._submit([waiting.submission for waiting in together])
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
            for waiting, result in zip(together, results, strict=True):
                waiting.outcome = result
        finally:
            self._hand_on()
            for waiting in together:
                waiting.wake.release()

    def _take(self) -> list[_Waiting]:
        together: list[_Waiting] = []
        size = 0
        with self._guard:
            while self.waiting and (
                not together or size + len(self.waiting[0].submission.transactions) <= self._most
            ):
                together.append(self.waiting.popleft())
                size += len(together[-1].submission.transactions)
        return together

    def _hand_on(self) -> None:
        with self._guard:
            self._is_carried = bool(self.waiting)
            if self.waiting:
                self.waiting[0].carries = True
                self.waiting[0].wake.release()

    def _take_all(self) -> list[_Waiting]:
        with self._guard:
            together = [*self.waiting]
            self.waiting.clear()
        return together
