import pytest

from minequeue.compose.burst.plan import Plan, make_actions
from minequeue.compose.burst.record import Answer, Record
from minequeue.compose.burst.verdict import judge
from tests.chaos.experiment import identify, is_kept
from tests.chaos.report import Run
from tests.chaos.synchronous import Blockchain
from tests.chaos.timeline import Timeline


def _run(status: int, *, is_valid: bool = True, receipts: int = 0) -> Run:
    record = Record(answers=[Answer(0.0, "submit", status, 0.1)])
    record.receipts.update({str(number): 0.0 for number in range(receipts)})
    timeline = Timeline("", record.now_s)
    return Run("ours", record, timeline, judge(record, []), is_valid=is_valid)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (_run(202), True),
        (_run(429), True),
        (_run(503), False),
        (_run(202, is_valid=False), False),
        (_run(202, receipts=1), False),
    ],
)
def test_a_run_is_kept_without_5xx_loss_or_an_invalid_chain(run: Run, expected: bool) -> None:
    assert is_kept(run) is expected


def test_the_ancestors_transactions_are_known_by_their_recipients() -> None:
    plan = Plan(requests=1, concurrency=1, submit=1, mine=0, read=0, seed=1)
    (action,) = make_actions(plan)
    chain = Blockchain()
    chain.new_transaction("payer-0", action.key, 1)
    chain.new_transaction("0", "a node", 1)
    chain.new_block(proof=1, previous_hash="")
    blocks = list(identify(chain.chain, {action.key: action.id}))
    assert [entry["id"] for entry in blocks[1]["transactions"]] == [action.id, "a node"]
    assert judge(Record(receipts={action.id: 0.0}), blocks).is_kept
