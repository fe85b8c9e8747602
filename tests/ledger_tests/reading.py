"""The genesis block, and what is read: the queue, samples, payments of an address."""

from dataclasses import replace
from typing import Any

import pytest

from minequeue.chain.errors import LedgerLost, WrongNetwork
from minequeue.chain.ledger import (
    ChainPosition,
    Ledger,
    RedisClient,
    address_page,
    find_transactions_of,
)
from minequeue.chain.ledger.keys import Keys
from tests.ledgers import (
    BOUNDS,
    RULES,
    make_ledger,
    mine_all,
    mined_ids,
    read_chain,
    request_mine,
    submit,
)


def test_the_chain_begins_with_its_genesis_once(ledger: Ledger) -> None:
    before = ledger.blocks.tip()
    ledger.open()
    assert ledger.blocks.tip() == before
    assert [block.header.index for block in read_chain(ledger)] == [1]


def test_another_networks_genesis_is_refused(ledger: Ledger) -> None:
    other = make_ledger(ledger.redis, replace(RULES, network="other"))
    assert other.blocks.tip().header.hash != ledger.blocks.tip().header.hash
    client = ledger.redis.client
    client.hset(
        "{minequeue:test}:records", "1", client.hget("{minequeue:other}:records", "1") or b""
    )
    with pytest.raises(WrongNetwork):
        make_ledger(ledger.redis)


def test_an_empty_queue_reads_as_zero(ledger: Ledger) -> None:
    reading = ledger.queue.read()
    assert (reading.depth, reading.pending_bytes, reading.oldest_age_s) == (0, 0, 0.0)
    assert reading.candidate is None
    assert reading.tip.index == 1


def test_a_ledger_without_a_genesis_says_so(redis_client: RedisClient) -> None:
    bare = Ledger(redis_client, RULES, BOUNDS)
    with pytest.raises(LedgerLost, match="no genesis"):
        bare.queue.read()
    with pytest.raises(LedgerLost, match="no genesis"):
        bare.blocks.tip()


def test_a_moment_has_one_sample_and_old_ones_go(redis_client: RedisClient) -> None:
    samples = make_ledger(redis_client).samples
    assert samples.keep(10, b"first of 10", most=3, after=0) == [(10, b"first of 10")]
    assert samples.keep(10, b"second of 10", most=3, after=0) == [(10, b"first of 10")]
    for number in (11, 12, 13):
        samples.keep(number, b"%d" % number, most=3, after=0)
    assert samples.keep(13, b"", most=3, after=0) == [(11, b"11"), (12, b"12"), (13, b"13")]
    assert samples.keep(13, b"", most=3, after=12) == [(13, b"13")]


def test_payments_of_an_address_are_found_newest_first_and_in_parts(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(redis_client)
    accepted = []
    for count in (3, 0, 4):
        accepted += [transaction.id for transaction in submit(ledger, count)] if count else []
        request_mine(ledger)
        mine_all(ledger)
    found: list[str] = []
    before: ChainPosition | None = ChainPosition(100, 0)
    while before is not None:
        look = find_transactions_of(ledger.blocks, "alice", before=before, most=2)
        found += [payment.fields["id"] for payment in look.transactions]
        assert len(look.transactions) <= 2
        before = look.ended
    assert found == accepted[::-1]


def test_a_look_for_an_address_ends_after_so_much_of_the_chain(
    redis_client: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = make_ledger(redis_client)
    submit(ledger, 1)
    for _ in range(5):
        request_mine(ledger)
    mine_all(ledger)
    monkeypatch.setattr(address_page, "_MAX_BLOCKS", 2)
    look = find_transactions_of(ledger.blocks, "alice", before=ChainPosition(6, 0), most=9)
    assert (look.transactions, look.ended) == ([], ChainPosition(4, 0))
    look = find_transactions_of(ledger.blocks, "alice", before=ChainPosition(4, 0), most=9)
    assert ([payment.position for payment in look.transactions], look.ended) == (
        [ChainPosition(2, 0)],
        ChainPosition(2, 0),
    )
    # from beyond the tip, a look begins at the tip
    assert find_transactions_of(
        ledger.blocks, "alice", before=ChainPosition(10**15, 0), most=9
    ).ended == ChainPosition(4, 0)
    monkeypatch.setattr(address_page, "_MAX_BYTES", 1)
    assert find_transactions_of(
        ledger.blocks, "alice", before=ChainPosition(9, 0), most=9
    ).ended == ChainPosition(6, 0)


def test_the_oldest_entries_are_dated_where_they_are_of_the_future(ledger: Ledger) -> None:
    keys = Keys("test")
    client: Any = ledger.redis.client  # redis types a field as text
    transactions = submit(ledger, 2)
    request_mine(ledger)

    def date() -> int:
        dated: int = ledger.redis.script(keys, "date_oldest", [5000])
        return dated

    assert date() == 0
    future_ms = ledger.queue.read().now_ms + 3_600_000
    for expected, lists in ((1, [keys.pending]), (2, [keys.pending, keys.mine_requests])):
        for key in lists:
            entry = client.lindex(key, 0)
            client.lset(key, 0, entry[:32] + b"%013d" % future_ms + entry[45:])
        assert date() == expected
        assert date() == 0
    reading = ledger.queue.read()
    assert 5.0 <= reading.oldest_age_s < 60
    assert reading.now_ms - 60_000 < (reading.oldest_job_ms or 0) <= reading.now_ms
    mine_all(ledger)
    assert list(mined_ids(ledger)) == [transaction.id for transaction in transactions]
