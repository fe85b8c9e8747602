"""What a miner learns of its own speed, with a clock and a search that are told what to say."""

from dataclasses import replace

from minequeue.chain.ledger import RedisClient
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.workers.mining.miner import Miner
from minequeue.workers.mining.pace import SLICE_S
from tests.ledgers import RULES, make_ledger, request_mine
from tests.mining_steps import solve
from tests.waiting import wait_for

RATE = 1_000_000  # nonces a second


def test_the_speed_is_learned_from_searches_that_hit_too_if_they_took_long_enough(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(redis_client)
    now_s, slow_call_s = 0.0, 1.0

    def search(header_prefix: bytes, start: int, count: int) -> int | None:  # noqa: ARG001  # Search's
        nonlocal now_s, slow_call_s
        now_s += slow_call_s or 0.005  # each search hits, after 5 ms but for the first
        slow_call_s = 0
        found = search_with_hashlib(header_prefix, start, 2**20)
        assert found is not None
        return found

    miner = Miner(ledger, search, "node", clock=lambda: now_s)
    for _ in range(30):
        request_mine(ledger)
        miner.run()
    # 4 bits: about 16 nonces in 5 ms; the first call alone would say 16 in a second
    assert ledger.queue.read().miner_rate > 5 * 16


class Vain:
    """A search that finds nothing, at :data:`RATE`; and its clock."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.searched: list[bytes] = []

    def clock(self) -> float:
        return self.now_s

    def search(self, header_prefix: bytes, start: int, count: int) -> None:  # noqa: ARG002  # Search's
        self.searched.append(header_prefix)
        self.now_s += count / RATE


def test_a_search_stops_at_the_next_look_after_another_has_found_the_block(
    redis_client: RedisClient,
) -> None:
    ledger, other, vain = make_ledger(redis_client), make_ledger(redis_client), Vain()
    ledger.announcements.listen()
    request_mine(ledger)
    beaten: list[bytes] = []

    def search(header_prefix: bytes, start: int, count: int) -> None:
        vain.search(header_prefix, start, count)
        if len(vain.searched) == 3:
            reading = other.queue.read()
            assert reading.candidate
            other.mining.connect(reading, reading.candidate, solve(reading.candidate))
            wait_for(lambda: ledger.announcements.count > 0, "the news", 5)
            beaten.append(header_prefix)

    result = Miner(ledger, search, "node", clock=vain.clock).run()
    assert beaten == [vain.searched[0]]
    assert vain.searched == beaten * 3
    assert result.outcome == "helped"


def test_a_run_ends_within_a_slice_of_its_time_however_long_its_range_is(
    redis_client: RedisClient,
) -> None:
    ledger, vain = make_ledger(redis_client, replace(RULES, bits=32)), Vain()
    request_mine(ledger)
    miner = Miner(ledger, vain.search, "node", clock=vain.clock)
    for run_s in (1.0, 2.0):
        began = vain.now_s
        miner.run(run_s)
        assert run_s <= vain.now_s - began <= run_s + 2 * SLICE_S
