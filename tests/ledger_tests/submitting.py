"""Submissions: what is accepted, known again, refused, and broken off."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from minequeue.chain.errors import LedgerUnavailable, MinequeueError, QueueFull
from minequeue.chain.ledger import Ledger, Pending, RedisClient, Submission, SubmitResult
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.protocol.rules import Bounds
from tests.ledgers import (
    BOUNDS,
    RULES,
    find_place,
    let_a_day_pass,
    make_ledger,
    make_transaction,
    mine_all,
    mined_ids,
    submit,
)


def test_an_accepted_transaction_waits_and_is_counted(ledger: Ledger) -> None:
    (transaction,) = submit(ledger)
    reading = ledger.queue.read()
    assert (reading.pending, reading.depth) == (1, 1)
    assert reading.pending_bytes == 45 + len(transaction.canonical)
    assert find_place(ledger, transaction) == Pending()


def test_a_transaction_submitted_again_is_accepted_and_stands_once(ledger: Ledger) -> None:
    transaction = make_transaction()
    twice = Submission([transaction, transaction])
    assert ledger.mempool.submit([twice, twice]) == [SubmitResult.ACCEPTED, SubmitResult.ACCEPTED]
    assert ledger.queue.read().pending == 1


def test_what_was_known_already_is_counted_for_each_submission(ledger: Ledger) -> None:
    first, second, third = (make_transaction() for _ in range(3))
    submissions = [
        Submission([first, second], "key"),
        Submission([second, third, third], "other"),
        Submission([first], "key"),  # refused: its key came with another request
    ]
    verdicts = ledger.mempool.submit(submissions)
    assert verdicts == [SubmitResult.ACCEPTED, SubmitResult.ACCEPTED, SubmitResult.KEY_REUSED]
    assert [sum(submission.known) for submission in submissions] == [0, 2, 0]
    again = Submission([first, second], "key")
    assert ledger.mempool.submit([again]) == [SubmitResult.ACCEPTED]
    assert sum(again.known) == 2


def test_what_was_known_is_counted_over_all_calls_of_a_submission(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(redis_client, bounds=LARGE)
    many = [make_transaction() for _ in range(2500)]
    assert ledger.mempool.submit([Submission(many[500:1500])]) == [SubmitResult.ACCEPTED]
    whole = Submission(many)
    assert ledger.mempool.submit([whole]) == [SubmitResult.ACCEPTED]
    assert sum(whole.known) == 1000


def test_a_transaction_submitted_again_after_it_was_mined_stands_once(ledger: Ledger) -> None:
    (transaction,) = submit(ledger)
    mine_all(ledger)
    assert ledger.mempool.submit([Submission([transaction])]) == [SubmitResult.ACCEPTED]
    assert ledger.queue.read().depth == 0
    assert find_place(ledger, transaction) == (2, 0)


def test_a_key_with_the_same_request_is_accepted_and_with_another_refused(ledger: Ledger) -> None:
    first, second = make_transaction(), make_transaction()
    assert ledger.mempool.submit([Submission([first], "key")]) == [SubmitResult.ACCEPTED]
    assert ledger.mempool.submit([Submission([first], "key")]) == [SubmitResult.ACCEPTED]
    assert ledger.mempool.submit([Submission([second], "key")]) == [SubmitResult.KEY_REUSED]
    assert find_place(ledger, second) is None


def test_a_key_is_known_the_day_after_and_forgotten_on_the_second(ledger: Ledger) -> None:
    first, second = make_transaction(), make_transaction()
    assert ledger.mempool.submit([Submission([first], "key")]) == [SubmitResult.ACCEPTED]
    let_a_day_pass(ledger)
    assert ledger.mempool.submit([Submission([first], "key")]) == [SubmitResult.ACCEPTED]
    assert ledger.mempool.submit([Submission([second], "key")]) == [SubmitResult.KEY_REUSED]
    let_a_day_pass(ledger)
    assert ledger.mempool.submit([Submission([second], "key")]) == [SubmitResult.ACCEPTED]
    assert ledger.queue.read().pending == 2


def test_a_transaction_that_comes_again_after_its_key_is_forgotten_stands_once(
    ledger: Ledger,
) -> None:
    named = Submission([make_transaction()], "key")
    ledger.mempool.submit([named])
    mine_all(ledger)
    for _ in range(2):
        let_a_day_pass(ledger)
    assert ledger.mempool.submit([named]) == [SubmitResult.ACCEPTED]
    assert ledger.queue.read().pending == 0


def test_keys_expire_when_the_day_after_theirs_is_over_however_many_follow(
    ledger: Ledger,
) -> None:
    client: Any = ledger.redis.client
    for number in range(3):
        ledger.mempool.submit([Submission([make_transaction()], f"key{number}")])
    keys = Keys(RULES.network)
    days = keys.idempotency_even, keys.idempotency_odd
    (name,) = (key for key in days if client.exists(key))
    end_s = client.time()[0] + client.ttl(name)
    assert client.hlen(name) == 3
    assert 86_400 <= client.ttl(name) <= 2 * 86_400
    assert min(end_s % 86_400, -end_s % 86_400) <= 1  # at midnight, as far as two calls can tell
    assert client.ttl(Keys(RULES.network).transactions) == -1


def test_what_exceeds_the_bound_leaves_no_trace_and_what_fits_is_accepted(ledger: Ledger) -> None:
    submit(ledger, BOUNDS.pending - 2)
    too_many = [make_transaction() for _ in range(3)]
    fits = [make_transaction() for _ in range(2)]
    answers = ledger.mempool.submit([Submission(too_many, "key"), Submission(fits)])
    assert answers == [SubmitResult.FULL, SubmitResult.ACCEPTED]
    assert ledger.queue.read().pending == BOUNDS.pending
    assert [find_place(ledger, transaction) for transaction in too_many] == [None] * 3
    assert ledger.mempool.submit([Submission([make_transaction()])]) == [SubmitResult.FULL]


def test_a_key_is_not_used_up_by_a_request_that_did_not_fit(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client, bounds=replace(BOUNDS, pending=1))
    submit(ledger)
    assert ledger.mempool.submit([Submission([make_transaction()], "key")]) == [SubmitResult.FULL]
    mine_all(ledger)
    assert ledger.mempool.submit([Submission([make_transaction()], "key")]) == [
        SubmitResult.ACCEPTED
    ]


def test_a_full_queue_still_answers_what_it_accepted_before(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client, bounds=replace(BOUNDS, pending=1))
    (transaction,) = submit(ledger)
    assert ledger.mempool.submit([Submission([transaction])]) == [SubmitResult.ACCEPTED]


def test_the_bound_in_bytes_is_kept_to_the_byte(redis_client: RedisClient) -> None:
    transaction = make_transaction("n")
    size = 45 + len(transaction.canonical)
    tight = make_ledger(redis_client, bounds=replace(BOUNDS, pending_bytes=size - 1))
    assert tight.mempool.submit([Submission([transaction])]) == [SubmitResult.FULL]
    wide = make_ledger(redis_client, bounds=replace(BOUNDS, pending_bytes=size))
    assert wide.mempool.submit([Submission([transaction])]) == [SubmitResult.ACCEPTED]


LARGE = replace(BOUNDS, pending=10_000)


def test_a_submission_for_many_calls_is_accepted_whole_and_in_order(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(
        redis_client, replace(RULES, block_transactions=2000, block_bytes=2**30), LARGE
    )
    (before,), many, (after,) = ([make_transaction() for _ in range(n)] for n in (1, 2500, 1))
    together = [Submission([before]), Submission(many), Submission([after])]
    assert ledger.mempool.submit(together) == [SubmitResult.ACCEPTED] * 3
    reading = ledger.queue.read()
    assert reading.pending == 2502
    assert reading.pending_bytes == sum(submission.size for submission in together)
    mine_all(ledger)
    assert list(mined_ids(ledger)) == [each.id for each in (before, *many, after)]


def test_a_submission_for_many_calls_is_refused_whole_where_it_does_not_fit(
    redis_client: RedisClient,
) -> None:
    many = Submission([make_transaction() for _ in range(2500)], "key")
    for bounds in (
        replace(LARGE, pending=2499),
        replace(LARGE, pending_bytes=many.size - 1),
    ):
        ledger = make_ledger(redis_client, bounds=bounds)
        assert ledger.mempool.submit([many]) == [SubmitResult.FULL]
        assert ledger.queue.read().pending == 0
    exact = make_ledger(redis_client, bounds=Bounds(pending=2500, pending_bytes=many.size))
    assert exact.mempool.submit([many]) == [SubmitResult.ACCEPTED]
    assert exact.mempool.submit([many]) == [SubmitResult.ACCEPTED]
    assert exact.queue.read().pending == 2500


def test_a_key_stands_for_all_of_a_submission_for_many_calls(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client, bounds=LARGE)
    many = [make_transaction() for _ in range(1500)]
    assert ledger.mempool.submit([Submission(many, "key")]) == [SubmitResult.ACCEPTED]
    other = [*many[:-1], make_transaction()]
    assert ledger.mempool.submit([Submission(other, "key")]) == [SubmitResult.KEY_REUSED]
    assert ledger.queue.read().pending == 1500


def _breaking_off(
    redis_client: RedisClient, good_calls: int, failure: type[MinequeueError]
) -> Callable[..., Any]:
    """What runs scripts, but fails after so many."""
    calls = iter([redis_client.script] * good_calls)

    def fail(*_: object) -> None:
        raise failure

    def script(*arguments: Any) -> Any:
        return next(calls, fail)(*arguments)

    return script


@pytest.mark.parametrize("accepted_before", [0, 1])
def test_what_is_on_the_queue_is_never_called_refused_because_others_with_it_did_not_fit(
    redis_client: RedisClient, monkeypatch: pytest.MonkeyPatch, accepted_before: int
) -> None:
    ledger = make_ledger(redis_client, bounds=LARGE)
    # too many together for one call
    both = [Submission([make_transaction() for _ in range(600)]) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(
            redis_client, "script", _breaking_off(redis_client, accepted_before, QueueFull)
        )
        with pytest.raises(LedgerUnavailable if accepted_before else QueueFull):
            ledger.mempool.submit(both)
    assert ledger.queue.read().pending == 600 * accepted_before


@pytest.mark.parametrize("failure", [LedgerUnavailable, QueueFull])
def test_a_submission_that_broke_off_is_unknown_and_completed_when_it_is_repeated(
    redis_client: RedisClient, monkeypatch: pytest.MonkeyPatch, failure: type[MinequeueError]
) -> None:
    ledger = make_ledger(redis_client, bounds=LARGE)
    many = Submission([make_transaction() for _ in range(2500)], "key")
    with monkeypatch.context() as patch:
        patch.setattr(redis_client, "script", _breaking_off(redis_client, 1, failure))
        with pytest.raises(LedgerUnavailable):
            ledger.mempool.submit([many])
    assert ledger.queue.read().pending == 1000
    assert ledger.mempool.submit([many]) == [SubmitResult.ACCEPTED]
    assert ledger.queue.read().pending == 2500


def test_a_request_whose_other_key_is_known_is_not_accepted_and_told_so(ledger: Ledger) -> None:
    first, second, third = (make_transaction() for _ in range(3))
    ledger.mempool.submit([Submission([first], "old")])
    assert ledger.mempool.submit([Submission([second], "own", "old")]) == [SubmitResult.OLD_KEY]
    assert find_place(ledger, second) is None
    assert ledger.mempool.submit([Submission([second], "own")]) == [SubmitResult.ACCEPTED]
    assert ledger.mempool.submit([Submission([second], "own", "old")]) == [SubmitResult.ACCEPTED]
    assert ledger.mempool.submit([Submission([third], "own", "old")]) == [SubmitResult.KEY_REUSED]
    assert ledger.mempool.submit([Submission([third], "other", "unknown")]) == [
        SubmitResult.ACCEPTED
    ]


def test_the_other_key_is_forgotten_with_its_day(ledger: Ledger) -> None:
    ledger.mempool.submit([Submission([make_transaction()], "old")])
    named = Submission([make_transaction()], "own", "old")
    let_a_day_pass(ledger)
    assert ledger.mempool.submit([named]) == [SubmitResult.OLD_KEY]
    let_a_day_pass(ledger)
    assert ledger.mempool.submit([named]) == [SubmitResult.ACCEPTED]
