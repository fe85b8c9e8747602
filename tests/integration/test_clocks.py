"""The server's clock jumps, both ways: a stored moment holds nobody up beyond its own length."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger, PeerStatus, Submission, SubmitResult, Trail, open_redis
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.policy import Policy
from minequeue.workers.peers.resolver import Resolver
from tests.clock import ServerClock, find_faketime
from tests.ledgers import (
    RULES,
    make_ledger,
    make_miner,
    make_transaction,
    mine_all,
    request_mine,
    submit,
)
from tests.peers import LedgerNode
from tests.server import run_server
from tests.waiting import wait_for
from tests.web_clients import make_client
from tests.workers import StartWorker, is_drained, open_ledger

HOUR_S = 3600
DAY_S = 24 * HOUR_S
Jump = Callable[[int], None]
POLICY = Policy(least=0, most=4, target_drain_s=10, quiet_s=60)
both_ways = pytest.mark.parametrize("ahead_s", [-HOUR_S, HOUR_S], ids=["back", "forward"])
pytestmark = pytest.mark.skipif(find_faketime() is None, reason="libfaketime is not installed")


@pytest.fixture
def clock(tmp_path: Path) -> ServerClock:
    return ServerClock(tmp_path)


@pytest.fixture
def url(tmp_path: Path, clock: ServerClock) -> Iterator[str]:
    with run_server(tmp_path / "server", binary=clock.binary) as url:
        yield url


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    made = open_redis(url, wait_s=2)
    yield make_ledger(made)
    made.client.close()


@pytest.fixture
def jump(ledger: Ledger, clock: ServerClock) -> Jump:
    """Sets the clock and returns when commands see it."""

    def jump(ahead_s: int) -> None:
        clock.set(ahead_s)
        wait_for(
            lambda: abs(ledger.queue.read().now_ms / 1000 - time.time() - ahead_s) < HOUR_S / 2,
            "the new time",
        )

    return jump


def test_a_servers_clock_is_set_while_it_runs(jump: Jump) -> None:
    for ahead_s in (HOUR_S, -HOUR_S, DAY_S, 0):
        jump(ahead_s)


@both_ways
def test_what_waits_is_due_and_its_age_goes_on(ledger: Ledger, jump: Jump, ahead_s: int) -> None:
    submit(ledger)
    assert not backlog.is_block_due(ledger.queue.read(), RULES)
    jump(ahead_s)
    assert backlog.is_block_due(ledger.queue.read(), RULES)
    reading, decision = ledger.queue.look(POLICY)
    assert decision.need == 1
    assert RULES.block_interval_s <= reading.oldest_age_s <= HOUR_S + 60
    wait_for(
        lambda: ledger.queue.look(POLICY)[0].oldest_age_s > reading.oldest_age_s, "a greater age"
    )


def test_a_mine_request_of_the_future_has_an_age(ledger: Ledger, jump: Jump) -> None:
    request_mine(ledger)
    jump(-HOUR_S)
    ledger.queue.look(POLICY)
    wait_for(lambda: ledger.queue.look(POLICY)[0].oldest_age_s > 0, "an age")
    mine_all(ledger)


@both_ways
def test_a_dead_miner_and_a_lost_bell_count_no_more(
    ledger: Ledger, jump: Jump, ahead_s: int
) -> None:
    lease = ledger.fleet.lease("dead")
    lease.__enter__()
    assert ledger.fleet.note_wake_ups(2) == 1
    jump(ahead_s)
    assert ledger.queue.read().miners == 0
    assert ledger.metrics.read().rates == {}
    assert ledger.fleet.note_wake_ups(2) == 2
    assert ledger.redis.client.zcard(Keys("test").miners) == 0


@both_ways
def test_a_silent_worker_counts_no_more_and_one_that_beats_does(
    ledger: Ledger, jump: Jump, ahead_s: int
) -> None:
    ledger.fleet.send_heartbeat("dead", 3, "fast")
    jump(ahead_s)
    assert ledger.queue.read().fleet == 0
    ledger.fleet.send_heartbeat("alive", 2, "fast")
    assert ledger.queue.read().kernels == {"fast": 2}
    assert ledger.redis.client.zcard(Keys("test").workers) == 1


@both_ways
def test_a_token_that_was_used_up_is_served(ledger: Ledger, jump: Jump, ahead_s: int) -> None:
    assert ledger.rate_limits.charge("t", (1, 0), (1, 0)) == 0
    assert 0 < ledger.rate_limits.charge("t", (1, 0), (1, 0)) <= 1
    jump(ahead_s)
    assert ledger.rate_limits.charge("t", (1, 0), (1, 0)) == 0
    assert 0 < ledger.rate_limits.charge("t", (1, 0), (1, 0)) <= 1


def test_a_token_pays_for_a_large_batch_as_long_as_it_costs(ledger: Ledger) -> None:
    assert ledger.rate_limits.charge("t", (0, 1), (1, 600)) == 0
    assert ledger.rate_limits.charge("t", (0, 1), (1, 1)) == pytest.approx(600, abs=2)


@both_ways
def test_what_was_needed_before_holds_nobody(ledger: Ledger, jump: Jump, ahead_s: int) -> None:
    for _ in range(3):
        request_mine(ledger)
    assert ledger.queue.look(POLICY)[1].wanted == 3
    mine_all(ledger)
    assert ledger.queue.look(POLICY)[1].wanted == 3
    jump(ahead_s)
    assert ledger.queue.look(POLICY)[1].wanted == 0


@both_ways
def test_a_dead_resolvers_turn_is_over(ledger: Ledger, jump: Jump, ahead_s: int) -> None:
    first = ledger.peers.request_resolve()
    assert ledger.peers.take_lease()
    assert ledger.peers.request_resolve() != first
    assert ledger.peers.take_lease() is None
    assert not ledger.peers.is_due(b"", 60)
    jump(ahead_s)
    assert ledger.peers.is_due(b"", 60)
    turn = ledger.peers.take_lease()
    assert turn
    assert first in turn.jobs
    assert len(turn.jobs) == 2


@both_ways
def test_peers_are_met_again(ledger: Ledger, jump: Jump, ahead_s: int) -> None:
    node = LedgerNode(ledger)
    resolver = Resolver(ledger, lambda _: node, 60)
    ledger.peers.register(["http://a:1"])
    resolver.run()
    now_ms = ledger.peers.now_ms()
    ledger.peers.note(
        "http://a:1", PeerStatus(state="faulty", failures=9, next_ms=now_ms + 512_000)
    )
    asked = len(node.asked)
    resolver.run()
    assert len(node.asked) == asked
    assert not resolver.is_due()
    jump(ahead_s)
    assert resolver.is_due()
    resolver.run()
    assert len(node.asked) > asked


def test_requests_that_were_followed_in_the_future_make_room(ledger: Ledger, jump: Jump) -> None:
    trail = Trail("request", "", 0, 1)
    assert ledger.tracked_requests.track(b"a" * 32, trail)
    jump(-HOUR_S)
    assert ledger.tracked_requests.track(b"b" * 32, trail)
    assert ledger.tracked_requests.end([b"a" * 32, b"b" * 32]) == [trail]


def test_keys_of_the_future_are_known_and_expire_two_days_from_now(
    ledger: Ledger, jump: Jump
) -> None:
    jump(100 * DAY_S)  # an even number, so that the same key is written
    early, late = ([make_transaction()] for _ in range(2))
    assert ledger.mempool.submit([Submission(early, "early")]) == [SubmitResult.ACCEPTED]
    jump(0)
    assert ledger.mempool.submit([Submission(late, "early")]) == [SubmitResult.KEY_REUSED]
    assert ledger.mempool.submit([Submission(late, "late")]) == [SubmitResult.ACCEPTED]
    client = ledger.redis.client
    days = Keys("test").idempotency_even, Keys("test").idempotency_odd
    left_s = [client.ttl(key) for key in days if client.exists(key)]
    assert len(left_s) == 1
    assert DAY_S <= left_s[0] <= 2 * DAY_S


def test_a_tip_of_the_future_lets_miners_rest_until_a_block_can_follow(
    ledger: Ledger, jump: Jump
) -> None:
    jump(DAY_S)
    for _ in range(14):
        request_mine(ledger)
    mine_all(ledger)
    tip = ledger.blocks.tip().header
    jump(0)
    request_mine(ledger)
    submit(ledger)
    reading, decision = ledger.queue.look(POLICY)
    assert decision.need == 0
    assert reading.rest_ms / 1000 == pytest.approx(DAY_S - 2 * HOUR_S, abs=60)
    before = ledger.metrics.count()
    assert make_miner(ledger).run().outcome == "idle"
    assert ledger.metrics.count() == before
    warnings = make_client(ledger).get("/queue").get_json()["warnings"]
    assert len(warnings) == 1
    assert "over two hours ahead of the server's clock" in warnings[0]

    jump(DAY_S - 2 * HOUR_S + 60)
    assert make_miner(ledger).run().outcome == "mined"
    assert ledger.blocks.tip().header.index == tip.index + 1
    assert make_client(ledger).get("/queue").get_json()["warnings"] == []


def test_a_tip_of_the_future_costs_workers_no_busy_loop_and_no_flood_of_logs(
    url: str, clock: ServerClock, start_worker: StartWorker, tmp_path: Path
) -> None:
    with open_ledger(url) as ledger:
        ledger.open()
        clock.set(DAY_S)
        for _ in range(14):
            request_mine(ledger)
        start_worker(url)
        wait_for(lambda: is_drained(ledger), "14 blocks of the future", 60)
        clock.set(0)
        log = tmp_path / "worker.log"
        wait_for(lambda: "over two hours ahead" in log.read_text(), "a line in the log", 20)
        request_mine(ledger)
        before, size = ledger.metrics.count(), log.stat().st_size
        time.sleep(5)  # it is about what does not happen
        assert ledger.metrics.count() == before
        assert log.stat().st_size - size < 5_000
        assert log.read_text().count("over two hours ahead") == 1
        clock.set(DAY_S - 2 * HOUR_S + 60)
        wait_for(lambda: is_drained(ledger), "mining to go on by itself", 20)


@both_ways
def test_workers_mine_on_at_once_after_a_jump(
    url: str, clock: ServerClock, start_worker: StartWorker, ahead_s: int
) -> None:
    with open_ledger(url) as ledger:
        ledger.open()
        start_worker(url)
        submit(ledger, 3)
        wait_for(lambda: is_drained(ledger), "a block", 60)
        submit(ledger, 3)
        clock.set(ahead_s)
        request_mine(ledger)
        submit(ledger, 3)
        wait_for(lambda: is_drained(ledger), "a block after the jump", 15)
