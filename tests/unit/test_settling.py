"""What a reorganisation left to do is done in steps; between them nobody sees a difference."""

from collections.abc import Iterator, Sequence
from unittest.mock import patch

import pytest

from minequeue.chain.ledger import (
    Ledger,
    Location,
    OpenResult,
    Pending,
    Submission,
    SubmitResult,
    branches,
    settlement,
)
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.transaction import Transaction
from tests.ledgers import (
    BOUNDS,
    find_place,
    make_miner,
    make_transaction,
    mine_all,
    mined_ids,
    request_mine,
)
from tests.mining_steps import build_template
from tests.peers import LedgerNode, meet, meet_and_die
from tests.separate_ledgers import make_separate_ledger

STEPS = range(20)  # more than any case here takes


@pytest.fixture(autouse=True)
def _small_steps() -> Iterator[None]:
    with patch.object(settlement, "_BATCH", 2), patch.object(branches, "_BATCH", 2):
        yield


def _make(count: int) -> list[Transaction]:
    return [make_transaction() for _ in range(count)]


def _submit(ledger: Ledger, transactions: Sequence[Transaction]) -> None:
    assert ledger.mempool.submit([Submission(transactions)]) == [SubmitResult.ACCEPTED]


def _mine(ledger: Ledger, transactions: Sequence[Transaction] = ()) -> None:
    if transactions:
        _submit(ledger, transactions)
    request_mine(ledger)
    make_miner(ledger).run()


def _ids(transactions: Sequence[Transaction]) -> list[str]:
    return [transaction.id for transaction in transactions]


def _waiting_ids(ledger: Ledger) -> list[str]:
    entries = ledger.redis.client.lrange(Keys("test").pending, 0, -1)
    return [entry[:32].hex() for entry in entries]  # type: ignore[union-attr]  # redis-py types both of its clients at once


class Case:
    """Ours has a block that will be stale; a branch holds some of what waits there."""

    def __init__(self, stale: int, before: int, after: int, both: int = 3) -> None:
        self.ours, self.theirs = make_separate_ledger(), make_separate_ledger()
        self.stale, self.both = _make(stale), _make(both)
        self.before, self.after = _make(before), _make(after)
        _mine(self.ours, self.stale)
        for some in (self.before, self.both, self.after):
            if some:
                _submit(self.ours, some)
        self.strange = _make(2)
        _mine(self.theirs, [*self.both, *self.strange])
        _mine(self.theirs)

    @property
    def waits(self) -> list[Transaction]:
        """What is pending after the swap, in order."""
        return [*self.stale, *self.before, *self.after]

    def check(self) -> None:
        """What everybody may see at any moment after the swap."""
        reading = self.ours.queue.read()
        assert reading.pending == len(self.waits)
        assert {type(find_place(self.ours, each)) for each in self.waits} <= {Pending}
        for position, each in enumerate([*self.both, *self.strange]):
            assert find_place(self.ours, each) == (2, position)


SHAPES = [
    (3, 4, 5, 3),
    (0, 0, 9, 3),
    (0, 9, 0, 3),
    (9, 1, 1, 3),
    (1, 9, 9, 0),
    (9, 1, 1, 0),
    (0, 0, 0, 3),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_depth_and_places_are_the_same_after_every_step_and_the_order_is_kept(
    shape: tuple[int, int, int, int],
) -> None:
    stale, before, after, both = shape
    case = Case(stale, before, after, both)
    meet_and_die(case.ours, case.theirs)
    case.check()
    assert case.ours.queue.read().is_unsettled
    left = []
    for _ in STEPS:
        left.append(case.ours.settlement.step())
        case.check()
    assert left[-1] is False
    assert left == sorted(left, reverse=True)
    reading = case.ours.queue.read()
    assert not reading.is_unsettled
    assert reading.pending_bytes == Submission(case.waits).size
    assert _waiting_ids(case.ours) == _ids(case.waits)
    mine_all(case.ours)
    assert list(mined_ids(case.ours)) == _ids([*case.both, *case.strange, *case.waits])


def test_a_miner_settles_before_it_mines() -> None:
    case = Case(3, 4, 5)
    meet_and_die(case.ours, case.theirs)
    request_mine(case.ours)
    reading, template = build_template(case.ours)
    assert case.ours.mining.open(reading, template) is OpenResult.STALE
    assert make_miner(case.ours).run().outcome == "mined"
    assert not case.ours.queue.read().is_unsettled
    mine_all(case.ours)
    assert list(mined_ids(case.ours)) == _ids([*case.both, *case.strange, *case.waits])


def test_what_the_branch_holds_is_known_before_it_is_settled() -> None:
    case = Case(3, 4, 5)
    meet_and_die(case.ours, case.theirs)
    for _ in STEPS:
        _submit(case.ours, [*case.strange, *case.both, *case.stale])
        case.check()
        case.ours.settlement.step()


def test_the_bound_counts_what_waits_over_all_lists() -> None:
    case = Case(3, 4, 5)
    meet_and_die(case.ours, case.theirs)
    room = BOUNDS.pending - len(case.waits)
    many = Submission(_make(room + 1))
    assert case.ours.mempool.submit([many]) == [SubmitResult.FULL]
    assert case.ours.mempool.submit([Submission(many.transactions[1:])]) == [SubmitResult.ACCEPTED]
    assert case.ours.queue.read().pending == BOUNDS.pending


def test_all_that_waits_is_read_once_it_is_settled() -> None:
    case = Case(3, 4, 5)
    meet_and_die(case.ours, case.theirs)
    parts = list(case.ours.waiting.read_transactions())
    found = [item for part in parts for item in part.items]
    assert found == [transaction.canonical for transaction in case.waits]


def test_the_next_branch_is_taken_over_after_the_last_was_settled() -> None:
    case = Case(3, 4, 5)
    meet_and_die(case.ours, case.theirs)
    _mine(case.theirs, case.before)
    case.before = []
    meet(case.ours, case.theirs)
    case.check()
    assert not case.ours.queue.read().is_unsettled


def test_what_is_submitted_and_mined_while_a_branch_is_read_is_seen() -> None:
    case = Case(3, 4, 5)
    _mine(case.theirs)

    class Slow(LedgerNode):
        def block(self, header: Header) -> Block:
            if header.index == 3:
                late = _make(5)
                case.after += late
                _submit(case.ours, [*case.strange, *late])  # the branch holds two of them
                case.both, case.strange = [*case.both, *case.strange], []
            if header.index == 4:
                _mine(case.ours)  # all that waits is in a block of ours that will be stale
                case.stale, case.before, case.after = case.waits, [], []
            return super().block(header)

    meet_and_die(case.ours, Slow(case.theirs))
    case.check()
    case.ours.settlement.finish()
    assert _waiting_ids(case.ours) == _ids(case.waits)


def test_a_place_is_found_while_it_moves() -> None:
    case = Case(0, 0, 0)
    meet_and_die(case.ours, case.theirs)
    own_id = bytes.fromhex(case.strange[0].id)
    assert isinstance(case.ours.blocks.locate_transaction(own_id), Location)
