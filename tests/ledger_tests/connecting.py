"""Places, and the block that makes them count."""

from dataclasses import replace

import pytest

from minequeue.chain.ledger import ConnectResult, Ledger, MinedBy, Pending, RedisClient, Submission
from minequeue.chain.protocol.header import Header, put_nonce
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.chain.protocol.validation import validate_body, validate_header
from tests.ledgers import (
    RULES,
    find_place,
    make_ledger,
    make_transaction,
    mine_all,
    mined_ids,
    place_some,
    read_chain,
    request_mine,
    submit,
)
from tests.mining_steps import connect_next, open_candidate, solve


def test_places_are_given_in_parts_and_count_once_the_block_is_connected(ledger: Ledger) -> None:
    transactions = submit(ledger, 5)
    request_mine(ledger)
    reading, candidate = open_candidate(ledger)
    assert [place_some(ledger, candidate, 2) for _ in range(4)] == [2, 4, 5, 5]
    assert [find_place(ledger, transaction) for transaction in transactions] == [Pending()] * 5
    nonce = solve(candidate)
    assert ledger.mining.connect(reading, candidate, nonce) is ConnectResult.CONNECTED
    assert [find_place(ledger, transaction) for transaction in transactions] == [
        (2, position) for position in range(5)
    ]
    assert place_some(ledger, candidate, 2) == b"STALE"


def test_a_place_in_a_candidate_that_was_dropped_says_nothing(redis_client: RedisClient) -> None:
    easy = make_ledger(redis_client)
    transactions = submit(easy, 5)
    request_mine(easy)
    _, dropped = open_candidate(easy)
    assert place_some(easy, dropped, 10) == 5
    hard = make_ledger(redis_client, replace(RULES, bits=RULES.bits + 1, block_transactions=2))
    assert connect_next(hard) is ConnectResult.CONNECTED
    assert [find_place(hard, transaction) for transaction in transactions] == [
        *((2, position) for position in range(2)),
        *[Pending()] * 3,
    ]
    assert hard.queue.read().pending_bytes == Submission(transactions[2:]).size
    mine_all(hard)
    assert list(mined_ids(hard)) == [transaction.id for transaction in transactions]


def test_a_block_is_not_connected_before_its_transactions_have_their_places(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions = submit(ledger, 3)
    request_mine(ledger)
    reading, candidate = open_candidate(ledger)
    place_some(ledger, candidate, 2)
    with monkeypatch.context() as patch:
        nonce = solve(candidate)
        header = Header.unpack(put_nonce(candidate.prefix, nonce))
        *_, connect = ledger.mining._connect_calls(reading, candidate, header)
        patch.setattr(ledger.mining, "_connect_calls", lambda *_: [connect])
        assert ledger.mining.connect(reading, candidate, nonce) is ConnectResult.STALE
    assert (ledger.queue.read().depth, ledger.blocks.tip().header.index) == (4, 1)
    assert [find_place(ledger, transaction) for transaction in transactions] == [Pending()] * 3
    assert ledger.mining.connect(reading, candidate, nonce) is ConnectResult.CONNECTED


def test_a_connected_block_takes_its_transactions_and_its_request_off_the_queue(
    ledger: Ledger,
) -> None:
    transactions = submit(ledger, 3)
    job = request_mine(ledger)
    assert connect_next(ledger) is ConnectResult.CONNECTED
    tip = ledger.blocks.tip()
    assert [find_place(ledger, transaction) for transaction in transactions] == [
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
    reading, candidate = open_candidate(ledger)
    nonce = solve(candidate)
    assert ledger.mining.connect(reading, candidate, nonce) is ConnectResult.CONNECTED
    assert ledger.mining.connect(reading, candidate, nonce) is ConnectResult.ALREADY
    assert connect_next(ledger) is ConnectResult.CONNECTED
    assert ledger.mining.connect(reading, candidate, nonce) is ConnectResult.ALREADY
    assert ledger.blocks.tip().header.index == 3


def test_a_stale_candidate_is_refused_and_its_transactions_stay_pending(ledger: Ledger) -> None:
    request_mine(ledger)
    reading, candidate = open_candidate(ledger)
    nonce = solve(candidate)
    ledger.mining.connect(reading, candidate, nonce)
    transactions = submit(ledger, 2)
    other = next(
        n
        for n in range(nonce + 1, 100_000)
        if search_with_hashlib(candidate.prefix, n, 1) is not None
    )
    assert ledger.mining.connect(reading, candidate, other) is ConnectResult.STALE
    assert [find_place(ledger, transaction) for transaction in transactions] == [Pending()] * 2
    assert ledger.blocks.tip().header.index == 2


def test_what_arrives_while_a_block_is_mined_waits_for_the_next(ledger: Ledger) -> None:
    (early,) = submit(ledger)
    request_mine(ledger)
    reading, candidate = open_candidate(ledger)
    (late,) = submit(ledger)
    assert ledger.mining.connect(reading, candidate, solve(candidate)) is ConnectResult.CONNECTED
    assert find_place(ledger, early) == (2, 0)
    assert find_place(ledger, late) == Pending()


def test_a_block_takes_the_oldest_transactions_up_to_its_bounds(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client, replace(RULES, block_transactions=4))
    transactions = submit(ledger, 10)
    mine_all(ledger)
    assert [len(block.leaves) - 1 for block in read_chain(ledger)[1:]] == [4, 4, 2]
    assert list(mined_ids(ledger)) == [transaction.id for transaction in transactions]


def test_a_block_stays_under_its_bytes_and_one_transaction_always_fits(
    redis_client: RedisClient,
) -> None:
    size = len(make_transaction("n0000").canonical)
    for most_bytes, expected in ((2 * size, [2, 2, 1]), (1, [1] * 5)):
        rules = replace(RULES, network=f"bytes{most_bytes}", block_bytes=most_bytes)
        ledger = make_ledger(redis_client, rules)
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
