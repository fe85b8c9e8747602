"""The scripts, each return value of each; run on fakeredis here and on a real server as well."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain import backlog
from chain.backlog import OpenCandidate, Reading
from chain.errors import LedgerUnavailable, MinequeueError, QueueFull, WrongNetwork
from chain.header import Header, put_nonce
from chain.ledger import (
    Connecting,
    Connection,
    Ledger,
    MinedBy,
    Opening,
    Pending,
    Place,
    Spot,
    Submission,
    Verdict,
    look_for,
    payments,
)
from chain.ledger.keys import Keys
from chain.proof_of_work import search_with_hashlib
from chain.rules import Bounds
from chain.scaling import Policy
from chain.template import Template
from chain.transaction import Transaction
from chain.validation import validate_body, validate_header
from tests.ledgers import (
    BOUNDS,
    RULES,
    let_a_day_pass,
    make_job,
    make_ledger,
    make_miner,
    make_transaction,
    mine_all,
    mined_ids,
    place_some,
    read_chain,
    request_mine,
    submit,
)


@pytest.fixture
def ledger(connection: Connection) -> Ledger:
    return make_ledger(connection)


def _place(ledger: Ledger, transaction: Transaction) -> tuple[int, int] | Pending | None:
    """The block's index and the position in it, where it is in a block."""
    found = ledger.blocks.locate_transaction(bytes.fromhex(transaction.id))
    return (found.header.index, found.position) if isinstance(found, Place) else found


def _build(ledger: Ledger) -> tuple[Reading, Template]:
    reading = ledger.queue.read()
    template = ledger.mining.build(reading, "node")
    assert template is not None
    return reading, template


def _open(ledger: Ledger) -> tuple[Reading, OpenCandidate]:
    reading, template = _build(ledger)
    assert ledger.mining.open(reading, template) is Opening.OPENED
    reading = ledger.queue.read()
    assert reading.candidate is not None
    return reading, reading.candidate


def _claim(ledger: Ledger, candidate: OpenCandidate, count: int = 100) -> int | None:
    with ledger.fleet.lease() as lease:
        return ledger.mining.claim(candidate, count, lease=lease, lease_ms=5000, rate=7)


def _solve(candidate: OpenCandidate) -> int:
    nonce = search_with_hashlib(candidate.prefix, 0, 100_000)
    assert nonce is not None
    return nonce


def _connect(ledger: Ledger) -> Connecting:
    reading, candidate = _open(ledger)
    return ledger.mining.connect(reading, candidate, _solve(candidate))


# create_genesis


def test_the_chain_begins_with_its_genesis_once(ledger: Ledger) -> None:
    before = ledger.blocks.tip()
    ledger.mining.create_genesis()
    assert ledger.blocks.tip() == before
    assert [block.header.index for block in read_chain(ledger)] == [1]


def test_another_networks_genesis_is_refused(ledger: Ledger) -> None:
    other = make_ledger(ledger.connection, replace(RULES, network="other"))
    assert other.blocks.tip().header.hash != ledger.blocks.tip().header.hash
    client = ledger.connection.client
    client.hset(
        "{minequeue:test}:records", "1", client.hget("{minequeue:other}:records", "1") or b""
    )
    with pytest.raises(WrongNetwork):
        make_ledger(ledger.connection)


# submit


def test_an_accepted_transaction_waits_and_is_counted(ledger: Ledger) -> None:
    (transaction,) = submit(ledger)
    reading = ledger.queue.read()
    assert (reading.pending, reading.depth) == (1, 1)
    assert reading.pending_bytes == 45 + len(transaction.canonical)
    assert _place(ledger, transaction) == Pending()


def test_a_transaction_submitted_again_is_accepted_and_stands_once(ledger: Ledger) -> None:
    transaction = make_transaction()
    twice = Submission([transaction, transaction])
    assert ledger.mempool.submit([twice, twice]) == [Verdict.ACCEPTED, Verdict.ACCEPTED]
    assert ledger.queue.read().pending == 1


def test_a_transaction_submitted_again_after_it_was_mined_stands_once(ledger: Ledger) -> None:
    (transaction,) = submit(ledger)
    mine_all(ledger)
    assert ledger.mempool.submit([Submission([transaction])]) == [Verdict.ACCEPTED]
    assert ledger.queue.read().depth == 0
    assert _place(ledger, transaction) == (2, 0)


def test_a_key_with_the_same_request_is_accepted_and_with_another_refused(ledger: Ledger) -> None:
    first, second = make_transaction(), make_transaction()
    assert ledger.mempool.submit([Submission([first], "key")]) == [Verdict.ACCEPTED]
    assert ledger.mempool.submit([Submission([first], "key")]) == [Verdict.ACCEPTED]
    assert ledger.mempool.submit([Submission([second], "key")]) == [Verdict.KEY_REUSED]
    assert _place(ledger, second) is None


def test_a_key_is_known_the_day_after_and_forgotten_on_the_second(ledger: Ledger) -> None:
    first, second = make_transaction(), make_transaction()
    assert ledger.mempool.submit([Submission([first], "key")]) == [Verdict.ACCEPTED]
    let_a_day_pass(ledger)
    assert ledger.mempool.submit([Submission([first], "key")]) == [Verdict.ACCEPTED]
    assert ledger.mempool.submit([Submission([second], "key")]) == [Verdict.KEY_REUSED]
    let_a_day_pass(ledger)
    assert ledger.mempool.submit([Submission([second], "key")]) == [Verdict.ACCEPTED]
    assert ledger.queue.read().pending == 2


def test_a_transaction_that_comes_again_after_its_key_is_forgotten_stands_once(
    ledger: Ledger,
) -> None:
    named = Submission([make_transaction()], "key")
    ledger.mempool.submit([named])
    mine_all(ledger)
    for _ in range(2):
        let_a_day_pass(ledger)
    assert ledger.mempool.submit([named]) == [Verdict.ACCEPTED]
    assert ledger.queue.read().pending == 0


def test_keys_expire_when_the_day_after_theirs_is_over_however_many_follow(
    ledger: Ledger,
) -> None:
    client: Any = ledger.connection.client
    for number in range(3):
        ledger.mempool.submit([Submission([make_transaction()], f"key{number}")])
    (name,) = (key for key in Keys(RULES.network).idempotency if client.exists(key))
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
    assert answers == [Verdict.FULL, Verdict.ACCEPTED]
    assert ledger.queue.read().pending == BOUNDS.pending
    assert [_place(ledger, transaction) for transaction in too_many] == [None] * 3
    assert ledger.mempool.submit([Submission([make_transaction()])]) == [Verdict.FULL]


def test_a_key_is_not_used_up_by_a_request_that_did_not_fit(connection: Connection) -> None:
    ledger = make_ledger(connection, bounds=replace(BOUNDS, pending=1))
    submit(ledger)
    assert ledger.mempool.submit([Submission([make_transaction()], "key")]) == [Verdict.FULL]
    mine_all(ledger)
    assert ledger.mempool.submit([Submission([make_transaction()], "key")]) == [Verdict.ACCEPTED]


def test_a_full_queue_still_answers_what_it_accepted_before(connection: Connection) -> None:
    ledger = make_ledger(connection, bounds=replace(BOUNDS, pending=1))
    (transaction,) = submit(ledger)
    assert ledger.mempool.submit([Submission([transaction])]) == [Verdict.ACCEPTED]


def test_the_bound_in_bytes_is_kept_to_the_byte(connection: Connection) -> None:
    transaction = make_transaction("n")
    size = 45 + len(transaction.canonical)
    tight = make_ledger(connection, bounds=replace(BOUNDS, pending_bytes=size - 1))
    assert tight.mempool.submit([Submission([transaction])]) == [Verdict.FULL]
    wide = make_ledger(connection, bounds=replace(BOUNDS, pending_bytes=size))
    assert wide.mempool.submit([Submission([transaction])]) == [Verdict.ACCEPTED]


LARGE = replace(BOUNDS, pending=10_000)


def test_a_submission_for_many_calls_is_accepted_whole_and_in_order(
    connection: Connection,
) -> None:
    ledger = make_ledger(
        connection, replace(RULES, block_transactions=2000, block_bytes=2**30), LARGE
    )
    (before,), many, (after,) = ([make_transaction() for _ in range(n)] for n in (1, 2500, 1))
    together = [Submission([before]), Submission(many), Submission([after])]
    assert ledger.mempool.submit(together) == [Verdict.ACCEPTED] * 3
    reading = ledger.queue.read()
    assert reading.pending == 2502
    assert reading.pending_bytes == sum(submission.size for submission in together)
    mine_all(ledger)
    assert list(mined_ids(ledger)) == [each.id for each in (before, *many, after)]


def test_a_submission_for_many_calls_is_refused_whole_where_it_does_not_fit(
    connection: Connection,
) -> None:
    many = Submission([make_transaction() for _ in range(2500)], "key")
    for bounds in (
        replace(LARGE, pending=2499),
        replace(LARGE, pending_bytes=many.size - 1),
    ):
        ledger = make_ledger(connection, bounds=bounds)
        assert ledger.mempool.submit([many]) == [Verdict.FULL]
        assert ledger.queue.read().pending == 0
    exact = make_ledger(connection, bounds=Bounds(pending=2500, pending_bytes=many.size))
    assert exact.mempool.submit([many]) == [Verdict.ACCEPTED]
    assert exact.mempool.submit([many]) == [Verdict.ACCEPTED]
    assert exact.queue.read().pending == 2500


def test_a_key_stands_for_all_of_a_submission_for_many_calls(connection: Connection) -> None:
    ledger = make_ledger(connection, bounds=LARGE)
    many = [make_transaction() for _ in range(1500)]
    assert ledger.mempool.submit([Submission(many, "key")]) == [Verdict.ACCEPTED]
    other = [*many[:-1], make_transaction()]
    assert ledger.mempool.submit([Submission(other, "key")]) == [Verdict.KEY_REUSED]
    assert ledger.queue.read().pending == 1500


def _breaking_off(
    connection: Connection, good_calls: int, failure: type[MinequeueError]
) -> Callable[..., Any]:
    """What runs scripts, but fails after so many."""
    calls = iter([connection.script] * good_calls)

    def fail(*_: object) -> None:
        raise failure

    def script(*arguments: Any) -> Any:
        return next(calls, fail)(*arguments)

    return script


@pytest.mark.parametrize("accepted_before", [0, 1])
def test_what_is_on_the_queue_is_never_called_refused_because_others_with_it_did_not_fit(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, accepted_before: int
) -> None:
    ledger = make_ledger(connection, bounds=LARGE)
    # too many together for one call
    both = [Submission([make_transaction() for _ in range(600)]) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(connection, "script", _breaking_off(connection, accepted_before, QueueFull))
        with pytest.raises(LedgerUnavailable if accepted_before else QueueFull):
            ledger.mempool.submit(both)
    assert ledger.queue.read().pending == 600 * accepted_before


@pytest.mark.parametrize("failure", [LedgerUnavailable, QueueFull])
def test_a_submission_that_broke_off_is_unknown_and_completed_when_it_is_repeated(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, failure: type[MinequeueError]
) -> None:
    ledger = make_ledger(connection, bounds=LARGE)
    many = Submission([make_transaction() for _ in range(2500)], "key")
    with monkeypatch.context() as patch:
        patch.setattr(connection, "script", _breaking_off(connection, 1, failure))
        with pytest.raises(LedgerUnavailable):
            ledger.mempool.submit([many])
    assert ledger.queue.read().pending == 1000
    assert ledger.mempool.submit([many]) == [Verdict.ACCEPTED]
    assert ledger.queue.read().pending == 2500


# request_mine


def test_a_mine_request_sent_again_waits_once(ledger: Ledger) -> None:
    job = request_mine(ledger)
    assert ledger.mempool.request_mine(job) is Verdict.ACCEPTED
    assert ledger.queue.read().mine_requests == 1
    assert ledger.blocks.locate_job(job) == Pending()


def test_mine_requests_have_a_bound(connection: Connection) -> None:
    ledger = make_ledger(connection, bounds=replace(BOUNDS, pending=1))
    request_mine(ledger)
    refused = make_job()
    assert ledger.mempool.request_mine(refused) is Verdict.FULL
    assert ledger.blocks.locate_job(refused) is None


def test_each_mine_request_makes_exactly_one_block_the_oldest_first(ledger: Ledger) -> None:
    jobs = [request_mine(ledger) for _ in range(5)]
    mine_all(ledger)
    chain = read_chain(ledger)
    assert len(chain) == 6
    assert [ledger.blocks.locate_job(job) for job in jobs] == [
        MinedBy(block.header.index, block.header.hash.hex()) for block in chain[1:]
    ]


# open_candidate


def test_a_tip_has_one_candidate_and_the_second_offer_joins_it(ledger: Ledger) -> None:
    request_mine(ledger)
    first, second = _build(ledger), _build(ledger)
    assert ledger.mining.open(*first) is Opening.OPENED
    assert ledger.mining.open(*second) is Opening.JOINED
    candidate = ledger.queue.read().candidate
    assert candidate is not None
    assert candidate.prefix == first[1].block.header.prefix


def test_a_candidate_on_an_old_tip_is_refused(ledger: Ledger) -> None:
    request_mine(ledger)
    request_mine(ledger)
    late = _build(ledger)
    assert _connect(ledger) is Connecting.CONNECTED
    assert ledger.mining.open(*late) is Opening.STALE
    assert ledger.queue.read().candidate is None


def test_a_candidate_for_a_request_that_is_not_the_oldest_is_refused(ledger: Ledger) -> None:
    request_mine(ledger)
    reading, template = _build(ledger)
    assert ledger.mining.open(replace(reading, oldest_job=make_job()), template) is Opening.STALE


def test_a_candidate_of_more_transactions_than_wait_is_refused(ledger: Ledger) -> None:
    request_mine(ledger)
    reading, template = _build(ledger)
    assert ledger.mining.open(reading, replace(template, count=1)) is Opening.STALE


def test_a_candidate_under_other_rules_is_replaced(connection: Connection) -> None:
    easy = make_ledger(connection)
    request_mine(easy)
    _open(easy)
    hard = make_ledger(connection, replace(RULES, bits=RULES.bits + 1))
    reading = hard.queue.read()
    assert hard.mining.find_candidate(reading) is None
    template = hard.mining.build(reading, "node")
    assert template is not None
    assert hard.mining.open(reading, template) is Opening.OPENED
    assert hard.mining.find_candidate(hard.queue.read()) is not None


# claim_range


def test_ranges_are_disjoint_and_in_order(ledger: Ledger) -> None:
    request_mine(ledger)
    _, candidate = _open(ledger)
    assert [_claim(ledger, candidate, count) for count in (5, 7, 1)] == [0, 5, 12]


def test_a_claim_on_a_candidate_that_is_gone_is_stale(ledger: Ledger) -> None:
    request_mine(ledger)
    reading, candidate = _open(ledger)
    ledger.mining.connect(reading, candidate, _solve(candidate))
    assert _claim(ledger, candidate) is None


def test_a_claim_renews_the_lease_and_tells_the_speed(ledger: Ledger) -> None:
    request_mine(ledger)
    _, candidate = _open(ledger)
    with ledger.fleet.lease() as lease:
        ledger.mining.claim(candidate, 1, lease=lease, lease_ms=5000, rate=1234)
        reading = ledger.queue.read()
        assert (reading.miners, reading.live_rate, reading.miner_rate) == (1, 1234, 1234)
    reading = ledger.queue.read()
    assert (reading.miners, reading.live_rate, reading.miner_rate) == (0, 0, 1234)


# place_transactions


def test_places_are_given_in_parts_and_count_once_the_block_is_connected(ledger: Ledger) -> None:
    transactions = submit(ledger, 5)
    request_mine(ledger)
    reading, candidate = _open(ledger)
    assert [place_some(ledger, candidate, 2) for _ in range(4)] == [2, 4, 5, 5]
    assert [_place(ledger, transaction) for transaction in transactions] == [Pending()] * 5
    nonce = _solve(candidate)
    assert ledger.mining.connect(reading, candidate, nonce) is Connecting.CONNECTED
    assert [_place(ledger, transaction) for transaction in transactions] == [
        (2, position) for position in range(5)
    ]
    assert place_some(ledger, candidate, 2) == b"STALE"


def test_a_place_in_a_candidate_that_was_dropped_says_nothing(connection: Connection) -> None:
    easy = make_ledger(connection)
    transactions = submit(easy, 5)
    request_mine(easy)
    _, dropped = _open(easy)
    assert place_some(easy, dropped, 10) == 5
    hard = make_ledger(connection, replace(RULES, bits=RULES.bits + 1, block_transactions=2))
    assert _connect(hard) is Connecting.CONNECTED
    assert [_place(hard, transaction) for transaction in transactions] == [
        *((2, position) for position in range(2)),
        *[Pending()] * 3,
    ]
    assert hard.queue.read().pending_bytes == Submission(transactions[2:]).size
    mine_all(hard)
    assert list(mined_ids(hard)) == [transaction.id for transaction in transactions]


# connect_block


def test_a_block_is_not_connected_before_its_transactions_have_their_places(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions = submit(ledger, 3)
    request_mine(ledger)
    reading, candidate = _open(ledger)
    place_some(ledger, candidate, 2)
    with monkeypatch.context() as patch:
        patch.setattr(ledger.mining, "_place", lambda *_: None)
        nonce = _solve(candidate)
        assert ledger.mining.connect(reading, candidate, nonce) is Connecting.STALE
    assert (ledger.queue.read().depth, ledger.blocks.tip().header.index) == (4, 1)
    assert [_place(ledger, transaction) for transaction in transactions] == [Pending()] * 3
    assert ledger.mining.connect(reading, candidate, nonce) is Connecting.CONNECTED


def test_a_connected_block_takes_its_transactions_and_its_request_off_the_queue(
    ledger: Ledger,
) -> None:
    transactions = submit(ledger, 3)
    job = request_mine(ledger)
    assert _connect(ledger) is Connecting.CONNECTED
    tip = ledger.blocks.tip()
    assert [_place(ledger, transaction) for transaction in transactions] == [
        (2, position) for position in range(3)
    ]
    assert ledger.blocks.locate_job(job) == MinedBy(2, tip.header.hash.hex())
    assert ledger.queue.read().depth == 0
    assert ledger.queue.read().pending_bytes == 0
    assert tip.cumulative_work == 1 + 2**RULES.bits
    assert ledger.blocks.find_index(tip.header.hash) == 2


def test_a_block_connected_again_after_a_lost_reply_is_already_there(ledger: Ledger) -> None:
    request_mine(ledger)
    request_mine(ledger)
    reading, candidate = _open(ledger)
    nonce = _solve(candidate)
    assert ledger.mining.connect(reading, candidate, nonce) is Connecting.CONNECTED
    assert ledger.mining.connect(reading, candidate, nonce) is Connecting.ALREADY
    assert _connect(ledger) is Connecting.CONNECTED
    assert ledger.mining.connect(reading, candidate, nonce) is Connecting.ALREADY
    assert ledger.blocks.tip().header.index == 3


def test_a_stale_candidate_is_refused_and_its_transactions_stay_pending(ledger: Ledger) -> None:
    request_mine(ledger)
    reading, candidate = _open(ledger)
    nonce = _solve(candidate)
    ledger.mining.connect(reading, candidate, nonce)
    transactions = submit(ledger, 2)
    other = next(
        n
        for n in range(nonce + 1, 100_000)
        if search_with_hashlib(candidate.prefix, n, 1) is not None
    )
    assert ledger.mining.connect(reading, candidate, other) is Connecting.STALE
    assert [_place(ledger, transaction) for transaction in transactions] == [Pending()] * 2
    assert ledger.blocks.tip().header.index == 2


def test_what_arrives_while_a_block_is_mined_waits_for_the_next(ledger: Ledger) -> None:
    (early,) = submit(ledger)
    request_mine(ledger)
    reading, candidate = _open(ledger)
    (late,) = submit(ledger)
    assert ledger.mining.connect(reading, candidate, _solve(candidate)) is Connecting.CONNECTED
    assert _place(ledger, early) == (2, 0)
    assert _place(ledger, late) == Pending()


def test_a_block_takes_the_oldest_transactions_up_to_its_bounds(connection: Connection) -> None:
    ledger = make_ledger(connection, replace(RULES, block_transactions=4))
    transactions = submit(ledger, 10)
    mine_all(ledger)
    assert [len(block.leaves) - 1 for block in read_chain(ledger)[1:]] == [4, 4, 2]
    assert list(mined_ids(ledger)) == [transaction.id for transaction in transactions]


def test_a_block_stays_under_its_bytes_and_one_transaction_always_fits(
    connection: Connection,
) -> None:
    size = len(make_transaction("n0000").canonical)
    for most_bytes, expected in ((2 * size, [2, 2, 1]), (1, [1] * 5)):
        rules = replace(RULES, network=f"bytes{most_bytes}", block_bytes=most_bytes)
        ledger = make_ledger(connection, rules)
        for n in range(5):
            ledger.mempool.submit([Submission([make_transaction(f"n000{n}")])])
        mine_all(ledger)
        assert [len(block.leaves) - 1 for block in read_chain(ledger)[1:]] == expected


def test_the_mined_chain_is_valid_by_every_rule(ledger: Ledger) -> None:
    submit(ledger, 25)
    mine_all(ledger)
    previous, *blocks = read_chain(ledger)
    timestamps = [previous.header.timestamp]
    for block in blocks:
        now_ms = ledger.queue.read().now_ms
        validate_header(
            block.header, previous.header, timestamps, now_ms=now_ms, minimum_bits=RULES.bits
        )
        assert validate_body(block)
        timestamps.append(block.header.timestamp)
        previous = block


# leases, bells and beats


def test_bells_are_rung_for_the_miners_that_are_missing_and_only_once(ledger: Ledger) -> None:
    assert ledger.fleet.ring(3) == 3
    assert ledger.fleet.ring(3) == 0
    assert ledger.fleet.ring(4) == 1


def test_a_miner_answers_one_bell_and_counts_while_its_lease_lives(ledger: Ledger) -> None:
    ledger.fleet.ring(2)
    with ledger.fleet.lease():
        assert ledger.queue.read().miners == 1
        assert ledger.fleet.ring(2) == 0
    assert ledger.queue.read().miners == 0
    assert ledger.fleet.ring(2) == 1


def test_a_worker_counts_while_it_beats_and_not_when_it_left(ledger: Ledger) -> None:
    ledger.fleet.beat("a", 2, "fast")
    ledger.fleet.beat("b", 3, "hashlib")
    ledger.fleet.beat("a", 1, "fast")
    assert ledger.queue.read().fleet == 4
    assert ledger.queue.read().kernels == {"fast": 1, "hashlib": 3}
    ledger.fleet.leave("b")
    assert ledger.queue.read().fleet == 1
    assert ledger.queue.read().kernels == {"fast": 1}


def test_what_was_needed_is_remembered_for_all_who_look(ledger: Ledger) -> None:
    policy = Policy(least=0, most=3, target_drain_s=10, quiet_s=600)
    assert ledger.queue.look(policy)[1].wanted == 0
    for _ in range(3):
        request_mine(ledger)
    assert ledger.queue.look(policy)[1].wanted == 3
    mine_all(ledger)
    decision = ledger.queue.look(policy)[1]
    assert (decision.need, decision.wanted) == (0, 3)
    assert ledger.queue.look(replace(policy, least=1, quiet_s=0))[1].wanted == 3


def test_the_nodes_address_is_drawn_once_and_the_operators_choice_wins(ledger: Ledger) -> None:
    drawn = ledger.fleet.node_address(None)
    assert ledger.fleet.node_address(None) == drawn
    assert ledger.fleet.node_address("mine") == "mine"


# read_queue


def test_an_empty_queue_reads_as_zero(ledger: Ledger) -> None:
    reading = ledger.queue.read()
    assert (reading.depth, reading.pending_bytes, reading.oldest_age_s) == (0, 0, 0.0)
    assert reading.candidate is None
    assert reading.tip.index == 1


def test_a_ledger_without_a_genesis_says_so(connection: Connection) -> None:
    bare = Ledger(connection, RULES, BOUNDS)
    with pytest.raises(LookupError, match="no genesis"):
        bare.queue.read()
    with pytest.raises(LookupError, match="no genesis"):
        bare.blocks.tip()


def test_a_run_of_a_miner_says_what_it_did(ledger: Ledger) -> None:
    submit(ledger, 3)
    request_mine(ledger)
    result = make_miner(ledger).run()
    tip = ledger.blocks.tip().header
    assert (result.outcome, result.blocks, result.transactions) == ("mined", 1, 3)
    assert (result.index, result.hash) == (2, tip.hash.hex())
    assert make_miner(ledger).run().outcome == "idle"


def test_the_candidates_header_names_what_the_backlog_counts(ledger: Ledger) -> None:
    submit(ledger, 11)
    reading = ledger.queue.read()
    assert backlog.calculate_blocks(reading, RULES) == 2
    _, candidate = _open(ledger)
    header = Header.unpack(put_nonce(candidate.prefix, 0))
    assert (header.index, header.bits, candidate.count) == (2, RULES.bits, 10)


def test_a_moment_has_one_sample_and_old_ones_go(connection: Connection) -> None:
    samples = make_ledger(connection).samples
    assert samples.keep(10, b"first of 10", most=3, after=0) == [(10, b"first of 10")]
    assert samples.keep(10, b"second of 10", most=3, after=0) == [(10, b"first of 10")]
    for number in (11, 12, 13):
        samples.keep(number, b"%d" % number, most=3, after=0)
    assert samples.keep(13, b"", most=3, after=0) == [(11, b"11"), (12, b"12"), (13, b"13")]
    assert samples.keep(13, b"", most=3, after=12) == [(13, b"13")]


def test_payments_of_an_address_are_found_newest_first_and_in_parts(
    connection: Connection,
) -> None:
    ledger = make_ledger(connection)
    accepted = []
    for count in (3, 0, 4):
        accepted += [transaction.id for transaction in submit(ledger, count)] if count else []
        request_mine(ledger)
        mine_all(ledger)
    found: list[str] = []
    before: Spot | None = Spot(100, 0)
    while before is not None:
        look = look_for(ledger.blocks, "alice", before=before, most=2)
        found += [payment.fields["id"] for payment in look.payments]
        assert len(look.payments) <= 2
        before = look.ended
    assert found == accepted[::-1]


def test_a_look_for_an_address_ends_after_so_much_of_the_chain(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = make_ledger(connection)
    submit(ledger, 1)
    for _ in range(5):
        request_mine(ledger)
    mine_all(ledger)
    monkeypatch.setattr(payments, "_MOST_BLOCKS", 2)
    look = look_for(ledger.blocks, "alice", before=Spot(6, 0), most=9)
    assert (look.payments, look.ended) == ([], Spot(4, 0))
    look = look_for(ledger.blocks, "alice", before=Spot(4, 0), most=9)
    assert ([payment.spot for payment in look.payments], look.ended) == ([Spot(2, 0)], Spot(2, 0))
    # from beyond the tip, a look begins at the tip
    assert look_for(ledger.blocks, "alice", before=Spot(10**15, 0), most=9).ended == Spot(4, 0)
    monkeypatch.setattr(payments, "_MOST_BYTES", 1)
    assert look_for(ledger.blocks, "alice", before=Spot(9, 0), most=9).ended == Spot(6, 0)
