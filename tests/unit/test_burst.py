import json
from collections import Counter
from typing import Any

import pytest

from minequeue.chain.protocol.transaction import accept_submission
from minequeue.compose.burst.plan import BadPlan, Plan, make_actions
from minequeue.compose.burst.record import Answer, Kind, Record
from minequeue.compose.burst.verdict import find_percentiles, judge

PLAN = Plan(requests=1000, concurrency=10, submit=0.9, mine=0.06, read=0.04, seed=7)


def _block(*ids: str) -> dict[str, Any]:
    entries = [{"id": name, "sender": "alice"} for name in ids]
    return {"transactions": [*entries, {"id": f"reward after {ids}", "sender": "0"}]}


def _record(*receipts: str) -> Record:
    return Record(receipts=dict.fromkeys(receipts, 0.0))


def test_the_same_seed_gives_the_same_requests() -> None:
    assert list(make_actions(PLAN)) == list(make_actions(PLAN))


def test_another_seed_gives_other_transactions() -> None:
    other = Plan(requests=1000, concurrency=10, submit=0.9, mine=0.06, read=0.04, seed=8)
    first, second = ({a.id for a in make_actions(plan) if a.id} for plan in (PLAN, other))
    assert first & second == set()


def test_a_burst_is_mixed_by_its_shares() -> None:
    kinds = Counter(action.kind for action in make_actions(PLAN))
    assert kinds.total() == 1000
    assert 860 <= kinds["submit"] <= 940
    assert 30 <= kinds["mine"] <= 90


def test_a_submission_names_the_id_that_the_node_will_give_it() -> None:
    action = next(action for action in make_actions(PLAN) if action.kind == "submit")
    assert accept_submission(json.loads(action.body), str).id == action.id


def test_every_request_has_a_key_of_its_own() -> None:
    assert len({action.key for action in make_actions(PLAN)}) == 1000


def test_given_transactions_are_sent_and_keep_their_nonce() -> None:
    plan = Plan(requests=2, concurrency=1, submit=1, mine=0, read=0, seed=1)
    given = {"sender": "alice", "recipient": "bob", "amount": 5}
    own, made = make_actions(plan, [{**given, "nonce": "n"}, given])
    assert json.loads(own.body) == {**given, "nonce": "n"}
    assert json.loads(made.body) == {**given, "nonce": made.key}


def test_a_bad_transaction_is_named_by_its_number() -> None:
    plan = Plan(requests=2, concurrency=1, submit=1, mine=0, read=0, seed=1)
    given = {"sender": "alice", "recipient": "bob", "amount": 5}
    with pytest.raises(BadPlan, match="Transaction 2: amount"):
        list(make_actions(plan, [given, {**given, "amount": -1}]))


@pytest.mark.parametrize(
    "wrong",
    [{"submit": 0.5}, {"submit": 1.1, "mine": -0.14}, {"requests": 0}, {"pause_s": -1}],
)
def test_a_plan_out_of_bounds_is_refused(wrong: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "requests": 10, "concurrency": 1, "submit": 0.9, "mine": 0.06, "read": 0.04, "seed": 1
    }  # fmt: skip
    with pytest.raises(BadPlan):
        Plan(**{**whole, **wrong})


def test_the_requests_are_split_over_the_bursts() -> None:
    plan = Plan(requests=10, concurrency=1, submit=1, mine=0, read=0, seed=1, bursts=3)
    assert plan.split() == [4, 3, 3]


def test_what_was_accepted_and_stands_once_in_the_chain_is_kept() -> None:
    verdict = judge(_record("a", "b"), [_block("a"), _block("b")])
    assert (verdict.accepted, verdict.mined, verdict.is_kept) == (2, 2, True)
    assert verdict.named == {}


def test_what_was_accepted_and_is_not_in_the_chain_is_lost() -> None:
    verdict = judge(_record("a", "b"), [_block("a")])
    assert (verdict.mined, verdict.lost, verdict.is_kept) == (1, 1, False)
    assert verdict.named == {"lost": ["b"]}


def test_what_stands_twice_in_the_chain_is_doubled() -> None:
    verdict = judge(_record("a"), [_block("a"), _block("a")])
    assert (verdict.doubled, verdict.lost, verdict.is_kept) == (1, 0, False)


def test_what_was_never_answered_may_be_in_the_chain_or_not() -> None:
    record = Record(unknown={"key 1": "a", "key 2": "b"})
    verdict = judge(record, [_block("a")])
    assert (verdict.recovered, verdict.unexpected, verdict.is_kept) == (1, 0, True)


def test_what_was_never_sent_is_unexpected_but_no_loss() -> None:
    verdict = judge(_record("a"), [_block("a", "x")])
    assert (verdict.unexpected, verdict.is_kept) == (1, True)


def test_a_reward_is_nobodys_transaction() -> None:
    assert judge(_record(), [_block()]).unexpected == 0


def test_a_job_without_a_block_of_its_own_is_lost() -> None:
    record = Record(jobs={"done": 0.0, "same block": 0.0, "never": 0.0})
    verdict = judge(record, [], {"done": 2, "same block": 2})
    assert (verdict.jobs, verdict.jobs_lost, verdict.is_kept) == (3, 2, False)
    assert verdict.named == {"jobs_lost": ["same block", "never"]}


def test_refusals_are_counted_by_status_and_latency_leaves_out_what_never_came() -> None:
    def answer(status: int, took_s: float, kind: Kind = "submit") -> Answer:
        return Answer(0.0, kind, status, took_s)

    record = Record(answers=[answer(202, 1), answer(429, 3), answer(0, 30), answer(200, 2, "read")])
    verdict = judge(record, [])
    assert verdict.refused == {0: 1, 429: 1}
    assert verdict.latency == {
        "read": {50: 2, 90: 2, 99: 2, 100: 2},
        "submit": {50: 1, 90: 3, 99: 3, 100: 3},
    }


def test_percentiles_are_taken_by_nearest_rank() -> None:
    assert find_percentiles(range(1, 201)) == {50: 100, 90: 180, 99: 198, 100: 200}
