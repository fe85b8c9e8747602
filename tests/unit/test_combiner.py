import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from minequeue.chain.errors import LedgerUnavailable
from minequeue.chain.ledger import Submission, SubmitResult
from minequeue.web.intake.combiner import Combiner
from tests.ledgers import make_transaction


class Gate:
    """A ledger whose calls wait until they are let through, and are remembered."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.called = threading.Semaphore(0)
        self.open = threading.Semaphore(0)

    def submit(self, submissions: Sequence[Submission]) -> list[SubmitResult]:
        self.calls.append(len(submissions))
        self.called.release()
        assert self.open.acquire(timeout=10)
        return [SubmitResult.ACCEPTED for _ in submissions]


def _submit_in_threads(combiner: Combiner, count: int, size: int = 1) -> list[threading.Thread]:
    def run() -> None:
        result = combiner.submit(Submission([make_transaction() for _ in range(size)]))
        assert result is SubmitResult.ACCEPTED

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _wait_for_queue(combiner: Combiner, length: int) -> None:
    done = threading.Event()
    while len(combiner.waiting) < length:
        assert not done.wait(0.005)


def test_what_arrives_during_a_call_goes_together_in_the_next() -> None:
    gate = Gate()
    combiner = Combiner(gate.submit, most=100)
    first = _submit_in_threads(combiner, 1)
    assert gate.called.acquire(timeout=10)
    others = _submit_in_threads(combiner, 20)
    _wait_for_queue(combiner, 20)
    gate.open.release(2)
    for thread in first + others:
        thread.join(10)
    assert gate.calls == [1, 20]


def test_one_call_carries_no_more_than_its_bound_and_always_one_submission() -> None:
    gate = Gate()
    combiner = Combiner(gate.submit, most=5)
    first = _submit_in_threads(combiner, 1, size=50)
    assert gate.called.acquire(timeout=10)
    others = _submit_in_threads(combiner, 4, size=2)
    _wait_for_queue(combiner, 4)
    gate.open.release(3)
    for thread in first + others:
        thread.join(10)
    assert gate.calls == [1, 2, 2]


def test_when_the_ledger_is_away_everybody_who_waited_is_told() -> None:
    def fail(_: Sequence[Submission]) -> list[SubmitResult]:
        raise LedgerUnavailable

    with pytest.raises(LedgerUnavailable):
        Combiner(fail, most=5).submit(Submission([make_transaction()]))


def test_what_waited_while_the_ledger_was_away_does_not_wait_for_it_once_more() -> None:
    gate = Gate()

    def fail(submissions: Sequence[Submission]) -> list[SubmitResult]:
        gate.submit(submissions)
        raise LedgerUnavailable

    combiner = Combiner(fail, most=5)

    def submit() -> None:
        with pytest.raises(LedgerUnavailable):
            combiner.submit(Submission([make_transaction()]))

    with ThreadPoolExecutor(8) as threads:
        told = [threads.submit(submit)]
        assert gate.called.acquire(timeout=10)
        told += [threads.submit(submit) for _ in range(7)]
        _wait_for_queue(combiner, 7)
        gate.open.release(8)
        for done in told:
            done.result(10)
    assert gate.calls == [1]


def test_a_fault_of_ours_leaves_nobody_waiting() -> None:
    def fail(_: Sequence[Submission]) -> list[SubmitResult]:
        raise ZeroDivisionError

    combiner = Combiner(fail, most=5)
    with pytest.raises(ZeroDivisionError):
        combiner.submit(Submission([make_transaction()]))
    assert not combiner.waiting
