"""Mine requests, the candidate on the tip, and the ranges of nonces that are claimed of it."""

from dataclasses import replace
from typing import Any

from minequeue.chain.ledger import (
    ConnectResult,
    Ledger,
    MinedBy,
    OpenResult,
    Pending,
    Record,
    RedisClient,
    SubmitResult,
)
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.mining import Want
from minequeue.chain.protocol.header import Header, put_nonce
from minequeue.chain.scaling import backlog
from tests.ledgers import (
    BOUNDS,
    RULES,
    make_job,
    make_ledger,
    make_miner,
    mine_all,
    read_chain,
    request_mine,
    submit,
)
from tests.mining_steps import build_template, claim_range, connect_next, open_candidate, solve


def test_a_mine_request_sent_again_waits_once(ledger: Ledger) -> None:
    job = request_mine(ledger)
    assert ledger.mempool.request_mine(job) is SubmitResult.ACCEPTED
    assert ledger.queue.read().mine_requests == 1
    assert ledger.blocks.locate_job(job) == Pending()


def test_mine_requests_have_a_bound(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client, bounds=replace(BOUNDS, pending=1))
    request_mine(ledger)
    refused = make_job()
    assert ledger.mempool.request_mine(refused) is SubmitResult.FULL
    assert ledger.blocks.locate_job(refused) is None


def test_a_mine_request_whose_other_job_waits_or_is_young_is_not_queued(ledger: Ledger) -> None:
    old, own = request_mine(ledger), make_job()
    assert ledger.mempool.request_mine(own, old) is SubmitResult.OLD_KEY
    make_miner(ledger).run()
    assert ledger.mempool.request_mine(own, old) is SubmitResult.OLD_KEY
    _age(ledger, 2, 2 * 86_400_000 - 60_000)
    assert ledger.mempool.request_mine(own, old) is SubmitResult.OLD_KEY
    assert ledger.queue.read().mine_requests == 0
    _age(ledger, 2, 2 * 86_400_000)
    assert ledger.mempool.request_mine(own, old) is SubmitResult.ACCEPTED
    assert ledger.mempool.request_mine(own, old) is SubmitResult.ACCEPTED
    assert ledger.mempool.request_mine(make_job(), make_job()) is SubmitResult.ACCEPTED
    assert ledger.queue.read().mine_requests == 2


def _age(ledger: Ledger, index: int, age_ms: int) -> None:
    """Let the block at ``index`` say that it is so old."""
    client: Any = ledger.redis.client
    key = Keys(ledger.rules.network).records
    record = Record.unpack(client.hget(key, str(index)))
    header = replace(record.header, timestamp=ledger.peers.now_ms() - age_ms)
    client.hset(key, str(index), Record(header, record.cumulative_work).pack())


def test_each_mine_request_makes_exactly_one_block_the_oldest_first(ledger: Ledger) -> None:
    jobs = [request_mine(ledger) for _ in range(5)]
    mine_all(ledger)
    chain = read_chain(ledger)
    assert len(chain) == 6
    assert [ledger.blocks.locate_job(job) for job in jobs] == [
        MinedBy(block.header.index, block.header.hash.hex()) for block in chain[1:]
    ]


def test_a_tip_has_one_candidate_and_the_second_offer_joins_it(ledger: Ledger) -> None:
    request_mine(ledger)
    first, second = build_template(ledger), build_template(ledger)
    assert ledger.mining.open(*first) is OpenResult.OPENED
    assert ledger.mining.open(*second) is OpenResult.JOINED
    candidate = ledger.queue.read().candidate
    assert candidate is not None
    assert candidate.prefix == first[1].block.header.prefix


def test_a_candidate_on_an_old_tip_is_refused(ledger: Ledger) -> None:
    request_mine(ledger)
    request_mine(ledger)
    late = build_template(ledger)
    assert connect_next(ledger) is ConnectResult.CONNECTED
    assert ledger.mining.open(*late) is OpenResult.STALE
    assert ledger.queue.read().candidate is None


def test_a_request_that_came_after_a_block_was_built_waits_for_the_next(ledger: Ledger) -> None:
    submit(ledger, RULES.block_transactions)
    built = build_template(ledger)  # due by itself
    submit(ledger)
    job = request_mine(ledger)
    assert ledger.mining.open(*built) is OpenResult.OPENED
    candidate = ledger.queue.read().candidate
    assert candidate
    assert candidate.job == ""
    make_miner(ledger).run()
    assert ledger.queue.read().depth == 0
    assert ledger.blocks.locate_job(job) == MinedBy(3, ledger.blocks.tip().header.hash.hex())


def test_a_candidate_that_somebody_asked_for_serves_the_oldest_request(ledger: Ledger) -> None:
    jobs = [request_mine(ledger)]
    built = build_template(ledger)
    jobs.append(request_mine(ledger))
    assert ledger.mining.open(*built) is OpenResult.OPENED
    candidate = ledger.queue.read().candidate
    assert candidate
    assert candidate.job == jobs[0]


def test_a_candidate_of_more_transactions_than_wait_is_refused(ledger: Ledger) -> None:
    request_mine(ledger)
    reading, template = build_template(ledger)
    assert ledger.mining.open(reading, replace(template, count=1)) is OpenResult.STALE


def test_a_candidate_under_other_rules_is_replaced(redis_client: RedisClient) -> None:
    easy = make_ledger(redis_client)
    request_mine(easy)
    open_candidate(easy)
    hard = make_ledger(redis_client, replace(RULES, bits=RULES.bits + 1))
    reading = hard.queue.read()
    assert hard.mining.find_candidate(reading) is None
    template = hard.mining.build(reading, "node")
    assert template is not None
    assert hard.mining.open(reading, template) is OpenResult.OPENED
    assert hard.mining.find_candidate(hard.queue.read()) is not None


def test_ranges_are_disjoint_and_in_order(ledger: Ledger) -> None:
    request_mine(ledger)
    _, candidate = open_candidate(ledger)
    assert [claim_range(ledger, candidate, count) for count in (5, 7, 1)] == [0, 5, 12]


def test_a_claim_on_a_candidate_that_is_gone_is_stale(ledger: Ledger) -> None:
    request_mine(ledger)
    reading, candidate = open_candidate(ledger)
    ledger.mining.connect(reading, candidate, solve(candidate))
    assert claim_range(ledger, candidate) is None


def test_a_claim_renews_the_lease_and_tells_the_speed(ledger: Ledger) -> None:
    request_mine(ledger)
    _, candidate = open_candidate(ledger)
    with ledger.fleet.lease() as lease:
        claim_range(ledger, candidate, 1, lease=lease, rate=1234)
        reading = ledger.queue.read()
        assert (reading.miners, reading.live_rate, reading.miner_rate) == (1, 1234, 1234)
    reading = ledger.queue.read()
    assert (reading.miners, reading.live_rate, reading.miner_rate) == (0, 0, 1234)


def test_the_candidates_header_names_what_the_backlog_counts(ledger: Ledger) -> None:
    submit(ledger, 11)
    reading = ledger.queue.read()
    assert backlog.calculate_blocks(reading, RULES) == 2
    _, candidate = open_candidate(ledger)
    header = Header.unpack(put_nonce(candidate.prefix, 0))
    assert (header.index, header.bits, candidate.count) == (2, RULES.bits, 10)


def test_what_follows_a_candidate_is_read_behind_it_until_it_is_connected(ledger: Ledger) -> None:
    submit(ledger, 3)
    request_mine(ledger)
    open_candidate(ledger)
    later = [transaction.canonical for transaction in submit(ledger, 2)]
    request_mine(ledger)
    reading = ledger.queue.read()
    candidate = reading.candidate
    assert candidate
    assert ledger.mining.read_next_entries(reading, candidate) == later
    ledger.mining.connect(reading, candidate, solve(candidate))
    assert ledger.mining.read_next_entries(reading, candidate) is None


def test_a_block_its_successor_and_a_claim_are_one_call_though_the_scripts_were_forgotten(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(redis_client)
    submit(ledger, 1)
    first, second = request_mine(ledger), request_mine(ledger)
    open_candidate(ledger)
    submit(ledger, 2)
    reading, _ = ledger.mining.claim(Want(10, "somebody", 5000, 7))
    candidate = reading.candidate
    assert candidate
    header = ledger.mining.complete(reading, candidate, solve(candidate))
    built = ledger.mining.build_next(reading, candidate, "node")
    assert built
    following = built.move(header, reading.timestamps, reading.now_ms)
    redis_client.client.script_flush()
    outcome, after, start = ledger.mining.connect_and_go_on(
        reading, candidate, header, following, Want(10, "somebody", 5000, 7)
    )
    assert (outcome, start) == (ConnectResult.CONNECTED, 0)
    assert after.candidate
    assert (after.candidate.prefix, after.candidate.count, after.candidate.job) == (
        following.template.block.header.prefix,
        2,
        second,
    )
    assert ledger.blocks.locate_job(first) == MinedBy(2, header.hash.hex())


def test_without_a_mine_request_a_small_block_is_not_followed_by_another(ledger: Ledger) -> None:
    request_mine(ledger)
    open_candidate(ledger)
    submit(ledger, 2)
    reading = ledger.queue.read()
    assert reading.candidate
    assert ledger.mining.build_next(reading, reading.candidate, "node") is None
    assert ledger.mining.read_next_entries(reading, reading.candidate) is None
