"""What the ledger says of itself: its format, its network's rules, and that it is there."""

from dataclasses import replace
from typing import Any

import pytest
import redis

from minequeue.chain.errors import (
    InvalidBlock,
    LedgerLost,
    LedgerUnavailable,
    NewerLedger,
    RulesNotRaised,
    WeakerRules,
    WrongNetwork,
    WrongRules,
)
from minequeue.chain.ledger import (
    AdoptResult,
    ConnectResult,
    Ledger,
    OpenResult,
    RedisClient,
    Submission,
    rule_book,
)
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.mining import Want
from minequeue.chain.ledger.pool import CheckedPool
from minequeue.chain.protocol.rules import WIDEST, Limits, Rules
from tests.ledgers import (
    BOUNDS,
    RULES,
    make_job,
    make_ledger,
    make_miner,
    make_transaction,
    mine_all,
    request_mine,
    submit,
)
from tests.mining_steps import build_template, connect_next, open_candidate, solve
from tests.peers import meet
from tests.separate_ledgers import make_separate_ledger

HARDER = replace(RULES, bits=RULES.bits + 2)


def connect_again(redis_client: RedisClient) -> RedisClient:
    """What another process has to the same server."""
    given = {**redis_client.pool.connection_kwargs}
    del given["redis_connect_func"]
    pool = CheckedPool(connection_class=redis_client.pool.connection_class, **given)
    return RedisClient(redis.Redis(connection_pool=pool), wait_s=1)


def make_first_version(redis_client: RedisClient, blocks: int = 0, rules: Rules = RULES) -> None:
    """Leave a ledger as the first version did."""
    ledger = make_ledger(connect_again(redis_client), rules)
    for _ in range(blocks):
        request_mine(ledger)
        make_miner(ledger).run()
    client: Any = redis_client.client
    key = Keys(rules.network).rules
    client.hdel(key, *(name for name in client.hkeys(key) if name != b"signed"))


def write_field(ledger: Ledger, name: str, value: str) -> None:
    connect_again(ledger.redis).client.hset(Keys(RULES.network).rules, name, value)


def use_anew(ledger: Ledger) -> None:
    """Ask something on a new connection."""
    ledger.redis.pool.disconnect()
    ledger.blocks.tip()


def test_a_new_ledger_says_its_format_and_its_rules(ledger: Ledger) -> None:
    page = ledger.rule_book.look()
    assert (page.format, page.fields["reader"]) == (rule_book.FORMAT, rule_book.READER)
    assert page.record.changes == [(2, RULES.limits)]


def test_a_newer_ledger_is_refused_with_the_version_that_reads_it(ledger: Ledger) -> None:
    write_field(ledger, "format", str(rule_book.FORMAT + 1))
    write_field(ledger, "reader", "9.8.7")
    with pytest.raises(NewerLedger, match=r"use 9\.8\.7 or later"):
        make_ledger(connect_again(ledger.redis))
    with pytest.raises(NewerLedger, match=r"use 9\.8\.7 or later"):
        use_anew(ledger)


def test_the_first_versions_ledger_is_marked_and_gets_the_rules_of_who_opens_it(
    redis_client: RedisClient,
) -> None:
    make_first_version(redis_client, blocks=2)
    ledger = make_ledger(redis_client, HARDER)
    page = ledger.rule_book.look()
    assert page.format == rule_book.FORMAT
    there = replace(WIDEST, bits=RULES.bits)
    assert page.record.changes == [(2, there), (4, HARDER.limits)]
    assert [page.record.at(index) for index in (2, 3, 4, 9)] == [there] * 2 + [HARDER.limits] * 2
    request_mine(ledger)
    make_miner(ledger).run()
    assert ledger.blocks.tip().header.bits == HARDER.bits


def test_a_first_versions_ledger_without_blocks_gets_the_rules_for_all(
    redis_client: RedisClient,
) -> None:
    make_first_version(redis_client)
    assert make_ledger(redis_client).rule_book.look().record.changes == [(2, RULES.limits)]


def test_taking_a_ledger_over_goes_on_where_it_was_broken_off(
    redis_client: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_first_version(redis_client, blocks=5)
    monkeypatch.setattr(rule_book, "_BATCH", 2)
    ledger = Ledger(redis_client, HARDER, BOUNDS)
    read: list[tuple[int, int]] = []
    records = ledger.blocks.read_records

    def die_after_two(first: int, last: int) -> Any:
        read.append((first, last))
        if len(read) == 2:
            raise LedgerUnavailable
        return records(first, last)

    monkeypatch.setattr(ledger.blocks, "read_records", die_after_two)
    with pytest.raises(LedgerUnavailable):
        ledger.open()
    assert ledger.rule_book.look().format == 1
    ledger.open()
    assert read == [(2, 3), (4, 5), (4, 5), (6, 6)]
    assert ledger.rule_book.look().record.changes == [
        (2, replace(WIDEST, bits=RULES.bits)),
        (7, HARDER.limits),
    ]
    assert "surveyed" not in ledger.rule_book.look().fields


def test_two_parts_that_take_a_ledger_over_agree(redis_client: RedisClient) -> None:
    make_first_version(redis_client, blocks=1)
    first, second = (Ledger(connect_again(redis_client), RULES, BOUNDS) for _ in range(2))
    survey = first.rule_book._survey  # the moment between its look and its word
    first.rule_book.read()

    def be_overtaken() -> bool:
        second.open()
        return survey()

    first.rule_book.upgrade({1: be_overtaken}, rule_book.FORMAT)
    assert first.rule_book.page.fields == second.rule_book.look().fields
    assert first.rule_book.page.revision == "1"


def test_a_later_format_is_reached_step_by_step_however_often_it_breaks_off(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_book, "FORMAT", rule_book.FORMAT + 1)
    client: Any = ledger.redis.client
    done: list[int] = []

    def take_over() -> bool:
        """Move two of five entries at a time."""
        moved = int(client.hget(Keys(RULES.network).rules, "moved") or 0)
        if moved < 5:
            write_field(ledger, "moved", str(moved + 2))
            done.append(moved)
            if len(done) == 2:
                raise LedgerUnavailable
            return False
        write_field(ledger, "format", str(rule_book.FORMAT))
        return True

    book = ledger.rule_book
    steps = {rule_book.FORMAT - 1: take_over}
    with pytest.raises(LedgerUnavailable):
        book.upgrade(steps, rule_book.FORMAT)
    assert book.look().format == rule_book.FORMAT - 1
    book.upgrade(steps, rule_book.FORMAT)
    assert (done, book.page.format) == ([0, 2, 4], rule_book.FORMAT)
    book.upgrade(steps, rule_book.FORMAT)
    assert done == [0, 2, 4]


@pytest.mark.parametrize(
    ("change", "is_refused"),
    [
        ({"bits": RULES.bits - 1}, True),
        ({"bits": RULES.bits + 1}, False),
        ({"block_transactions": RULES.block_transactions + 1}, True),
        ({"block_transactions": RULES.block_transactions - 1}, False),
        ({"block_bytes": RULES.block_bytes + 1}, True),
        ({"block_bytes": RULES.block_bytes - 1}, False),
    ],
)
def test_a_part_may_be_stricter_than_the_ledger_and_not_weaker(
    ledger: Ledger, change: dict[str, int], is_refused: bool
) -> None:
    part = Ledger(connect_again(ledger.redis), replace(RULES, **change), BOUNDS)  # type: ignore[arg-type]  # all of them are integers
    if not is_refused:
        part.open()
        return
    with pytest.raises(WeakerRules, match="4 bits, 10 transactions"):
        part.open()


def test_rules_are_raised_from_the_next_block_on_and_a_part_below_them_stops(
    ledger: Ledger,
) -> None:
    request_mine(ledger)
    make_miner(ledger).run()
    operator = make_ledger(connect_again(ledger.redis))
    request_mine(ledger)
    reading, candidate = open_candidate(ledger)
    assert operator.rule_book.raise_limits(HARDER.limits) == 3
    assert operator.rule_book.look().record.changes == [(2, RULES.limits), (3, HARDER.limits)]
    # what was being mined under the rules before is void
    assert ledger.mining.connect(reading, candidate, solve(candidate)) is ConnectResult.STALE
    with pytest.raises(WeakerRules, match="this part is set to 4 bits"):
        ledger.mining.open(*build_template(ledger))
    with pytest.raises(WeakerRules):
        build_template(ledger)
    with pytest.raises(WeakerRules):
        use_anew(ledger)
    ready = make_ledger(connect_again(ledger.redis), HARDER)
    assert connect_next(ready) is ConnectResult.CONNECTED
    assert ready.blocks.tip().header.bits == HARDER.bits


def test_a_part_that_is_strict_enough_goes_on_when_rules_are_raised(
    redis_client: RedisClient,
) -> None:
    easy = make_ledger(connect_again(redis_client))
    ledger = make_ledger(redis_client, HARDER)
    request_mine(ledger)
    built = build_template(ledger)
    easy.rule_book.raise_limits(HARDER.limits)
    assert ledger.mining.open(*built) is OpenResult.STALE
    assert ledger.mining.open(*build_template(ledger)) is OpenResult.OPENED


def test_rules_may_be_raised_from_a_later_block_on(ledger: Ledger) -> None:
    operator = make_ledger(connect_again(ledger.redis))
    assert operator.rule_book.raise_limits(HARDER.limits, 3) == 3
    request_mine(ledger)
    make_miner(ledger).run()
    assert ledger.blocks.tip().header.bits == RULES.bits
    request_mine(ledger)
    with pytest.raises(WeakerRules):
        build_template(ledger)


def test_a_following_block_built_before_rules_were_raised_is_not_opened(ledger: Ledger) -> None:
    ledger.rule_book.read()
    make_ledger(connect_again(ledger.redis)).rule_book.raise_limits(HARDER.limits, 3)
    request_mine(ledger)
    request_mine(ledger)
    reading, candidate = open_candidate(make_ledger(connect_again(ledger.redis)))
    built = ledger.mining.build_next(reading, candidate, "node")
    assert built  # this part has not heard of it
    ledger.rule_book.read()
    header = ledger.mining.complete(reading, candidate, solve(candidate))
    following = built.move(header, reading.timestamps, reading.now_ms)
    outcome, after, start = ledger.mining.connect_and_go_on(
        reading, candidate, header, following, Want(10, "somebody", 5000, 7)
    )
    assert outcome is ConnectResult.CONNECTED
    assert (after.candidate, start) == (None, None)


@pytest.mark.parametrize(
    ("limits", "first", "why"),
    [
        (replace(RULES.limits, bits=RULES.bits - 1), None, "only be raised"),
        (replace(RULES.limits, block_transactions=9), None, "only be raised"),
        (replace(RULES.limits, block_bytes=99_999), None, "only be raised"),
        (HARDER.limits, 2, "Block 2 is mined"),
        (HARDER.limits, 4, "from block 5 on"),
    ],
)
def test_what_cannot_be_raised_is_refused(
    ledger: Ledger, limits: Limits, first: int | None, why: str
) -> None:
    request_mine(ledger)
    make_miner(ledger).run()
    ledger.rule_book.raise_limits(RULES.limits, 5)
    with pytest.raises(RulesNotRaised, match=why):
        ledger.rule_book.raise_limits(limits, first)


def test_of_two_who_raise_the_rules_at_once_one_is_told(ledger: Ledger) -> None:
    def change(revision: str, first: int, limits: str) -> Any:
        return ledger.redis.script(
            Keys(RULES.network),
            "change_rules",
            [revision, first, limits, "", rule_book.FORMAT, rule_book.READER],
        )

    assert change("1", 2, "5:10:100000") == b"CHANGED"
    assert change("1", 2, "5:10:100000") == b"CHANGED"  # its reply was lost
    assert change("1", 2, "6:10:100000") == b"STALE"
    assert change("2", 1, "6:10:100000") == b"STALE"
    assert ledger.rule_book.look().record.changes == [(2, replace(RULES.limits, bits=5))]


def test_a_ledger_of_an_earlier_format_is_opened_before_its_rules_are_raised(
    redis_client: RedisClient,
) -> None:
    make_first_version(redis_client)
    with pytest.raises(RulesNotRaised, match="earlier format"):
        Ledger(redis_client, RULES, BOUNDS).rule_book.raise_limits(HARDER.limits)


def test_peers_blocks_are_judged_by_our_rules_at_their_height(ledger: Ledger) -> None:
    operator = make_ledger(connect_again(ledger.redis))
    operator.rule_book.raise_limits(HARDER.limits, 3)
    ours = make_ledger(connect_again(ledger.redis), HARDER)
    theirs = make_separate_ledger()
    _mine(theirs)
    assert meet(ours, theirs) == "ahead"  # block 2 needs what it needed
    _mine(theirs)
    with pytest.raises(InvalidBlock, match="claims 4 bits, the network demands 6"):
        meet(ours, theirs)
    ready = make_ledger(theirs.redis, HARDER)
    for _ in range(2):
        _mine(ready)
    assert ours.blocks.tip().header.index == 2


def test_a_branch_that_was_judged_by_the_rules_before_is_not_taken_over(ledger: Ledger) -> None:
    theirs = make_separate_ledger()
    _mine(theirs)
    best = ledger.blocks.tip()
    headers = ledger.branches.begin_headers(best)
    block = theirs.blocks.read_block(2)
    assert block
    headers.append(block.header, now_ms=ledger.peers.now_ms())
    branch = ledger.branches.stage(headers)
    branch.add(block)
    make_ledger(connect_again(ledger.redis)).rule_book.raise_limits(HARDER.limits)
    assert branch.adopt(best) is AdoptResult.STALE
    assert ledger.blocks.tip() == best
    with pytest.raises(InvalidBlock):
        ledger.branches.begin_headers(best).append(block.header, now_ms=ledger.peers.now_ms())


def test_peers_blocks_have_no_more_transactions_than_ours_may() -> None:
    strict = replace(RULES, block_transactions=2)
    for count, is_kept in ((2, True), (3, False)):
        theirs = make_separate_ledger()
        submit(theirs, count)
        _mine(theirs)
        ours = make_separate_ledger(strict)
        if is_kept:
            assert meet(ours, theirs) == "ahead"
        else:
            with pytest.raises(InvalidBlock, match="over 2 transactions"):
                meet(ours, theirs)


def test_peers_blocks_have_no_more_bytes_than_ours_may_unless_for_one_transaction() -> None:
    size = len(make_transaction().canonical)
    for count, most, is_kept in ((2, 2 * size + 20, True), (2, size, False), (1, size - 9, True)):
        theirs = make_separate_ledger()
        submit(theirs, count)
        _mine(theirs)
        ours = make_separate_ledger(replace(RULES, block_bytes=most))
        if is_kept:
            assert meet(ours, theirs) == "ahead"
        else:
            with pytest.raises(InvalidBlock, match=f"over {most} bytes"):
                meet(ours, theirs)


def test_a_chain_that_is_gone_takes_nothing_and_is_not_begun_again(ledger: Ledger) -> None:
    submit(ledger)
    mine_all(ledger)
    client: Any = connect_again(ledger.redis).client
    keys = Keys(RULES.network)
    client.delete(keys.tip, keys.records, keys.bodies, keys.indexes)
    with pytest.raises(LedgerLost):
        ledger.mempool.submit([Submission([make_transaction()])])
    with pytest.raises(LedgerLost):
        ledger.mempool.request_mine(make_job())
    with pytest.raises(LedgerLost):
        use_anew(ledger)
    with pytest.raises(LedgerLost):
        make_ledger(connect_again(ledger.redis))
    assert client.exists(keys.pending, keys.mine_requests, keys.records) == 0


def test_a_server_that_was_emptied_takes_nothing_from_a_part_that_runs(ledger: Ledger) -> None:
    ledger.redis.client.flushall()
    with pytest.raises(LedgerLost):
        ledger.mempool.submit([Submission([make_transaction()])])
    with pytest.raises(LedgerLost):
        ledger.peers.request_resolve()
    with pytest.raises(LedgerLost):
        use_anew(ledger)
    assert connect_again(ledger.redis).client.dbsize() == 0


def test_a_ledger_that_became_another_is_refused_on_new_connections(ledger: Ledger) -> None:
    write_field(ledger, "signed", "1")
    with pytest.raises(WrongRules):
        use_anew(ledger)
    write_field(ledger, "signed", "0")
    use_anew(ledger)
    other = make_ledger(connect_again(ledger.redis), replace(RULES, network="other"))
    client: Any = connect_again(other.redis).client
    client.hset(Keys("test").records, "1", client.hget(Keys("other").records, "1"))
    with pytest.raises(WrongNetwork):
        use_anew(ledger)


def _mine(ledger: Ledger) -> None:
    request_mine(ledger)
    make_miner(ledger).run()
