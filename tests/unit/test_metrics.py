"""GET /metrics: what is counted moves with the facts, and is written as Prometheus wants it."""

from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from minequeue.chain.errors import LedgerUnavailable
from minequeue.chain.ledger import ConnectResult, Ledger, Submission
from minequeue.chain.protocol.transaction import accept_submission
from minequeue.web.guard import refusals as refusals_module
from minequeue.web.guard.refusals import Refusals
from minequeue.workers.peers.resolver import Resolver
from tests.ledgers import make_miner, mine_all, request_mine, submit
from tests.mining_steps import open_candidate, solve
from tests.peers import LedgerNode, meet
from tests.separate_ledgers import make_separate_ledger
from tests.web_clients import PLAIN, make_client


def _scrape(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Each sample by its name without the prefix, and its labels' values."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    return {
        (sample.name.removeprefix("minequeue_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_an_idle_node_has_every_metric(client: FlaskClient) -> None:
    found = _scrape(client)
    assert found["chain_height_blocks",] == 1
    assert found["transactions_accepted_total",] == 0
    assert found["mining_attempts_total", "connected"] == 0
    assert found["transaction_wait_duration_seconds_count",] == 0
    assert found["estimated_drain_seconds",] == 0


def test_every_metric_has_a_help_and_its_units_name(client: FlaskClient) -> None:
    for family in text_string_to_metric_families(client.get("/metrics").text):
        assert family.name.startswith("minequeue_")
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


def test_counts_move_with_the_facts(ledger: Ledger, client: FlaskClient) -> None:
    submit(ledger, 3)
    with_contract = accept_submission({**PLAIN, "contract": {"a": 1}}, lambda: "c")
    ledger.mempool.submit([Submission([with_contract])])
    waiting = _scrape(client)
    assert waiting["transactions_accepted_total",] == 4
    assert waiting["pending_transactions",] == 4
    assert waiting["transactions_mined_total",] == 0
    mine_all(ledger)
    found = _scrape(client)
    assert found["transactions_mined_total",] == 4
    assert found["pending_transactions",] == 0
    assert found["contracts",] == 1
    assert found["mining_attempts_total", "connected"] == 1
    assert found["chain_height_blocks",] == 2
    assert found["transaction_wait_duration_seconds_count",] == 4
    assert found["block_mining_duration_seconds_count",] == 1
    assert found["transaction_wait_duration_seconds_bucket", "+Inf"] == 4
    assert found["transaction_wait_duration_seconds_bucket", "1048.576"] == 4


def test_buckets_are_cumulative_and_hold_what_they_say(ledger: Ledger, client: FlaskClient) -> None:
    redis: Any = ledger.redis.client
    redis.hset("{minequeue:test}:histograms", mapping={"mined:0": 1, "mined:3": 2, "mined:40": 1})
    redis.hset("{minequeue:test}:histograms", "mined", 5000)
    found = _scrape(client)
    name = "block_mining_duration_seconds_bucket"
    assert [found[name, le] for le in ("0.001", "0.004", "0.008", "1048.576", "+Inf")] == [
        1, 1, 3, 3, 4,
    ]  # fmt: skip
    assert found["block_mining_duration_seconds_sum",] == 5


def test_a_find_that_came_too_late_is_a_stale_attempt(ledger: Ledger, client: FlaskClient) -> None:
    submit(ledger)
    request_mine(ledger)
    reading, candidate = open_candidate(ledger)
    early, late = (solve(candidate, start) for start in (0, 1 << 40))
    assert ledger.mining.connect(reading, candidate, early) is ConnectResult.CONNECTED
    assert ledger.mining.connect(reading, candidate, late) is ConnectResult.STALE
    found = _scrape(client)
    assert found["mining_attempts_total", "connected"] == 1
    assert found["mining_attempts_total", "stale"] == 1


def test_a_reorganisation_is_counted(ledger: Ledger, client: FlaskClient) -> None:
    other = make_separate_ledger()
    submit(ledger)
    mine_all(ledger)
    contract = accept_submission({**PLAIN, "contract": 1}, lambda: "c")
    other.mempool.submit([Submission([contract])])
    for _ in range(3):
        request_mine(other)
        make_miner(other).run()
    submit(ledger)
    request_mine(ledger)
    open_candidate(ledger)
    meet(ledger, other)
    found = _scrape(client)
    assert found["reorganisations_total",] == 1
    assert found["blocks_stale_total",] == 1
    assert found["blocks_adopted_total",] == 3
    assert found["mining_attempts_total", "abandoned"] == 1
    assert found["contracts",] == 1


def test_meetings_are_timed_by_outcome(ledger: Ledger, client: FlaskClient) -> None:
    ledger.peers.register(["http://127.0.0.1:1"])
    Resolver(ledger, lambda _: LedgerNode(ledger), 10).run()
    found = _scrape(client)
    assert found["resolve_duration_seconds_count", "kept"] == 1
    assert found["resolve_duration_seconds_count", "failed"] == 0
    assert found["peers", "same"] == 1
    assert found["peers", "faulty"] == 0


def test_refusals_are_counted_by_their_reason(ledger: Ledger) -> None:
    client = make_client(ledger)
    bodies: list[Any] = [{}, {}, "[", [PLAIN, {}]]
    for body in bodies:
        client.post("/chain/new", json=body)
    client.get("/chain/blocks/77")
    client.application.extensions["minequeue"].refusals.flush()
    found = _scrape(client)
    assert found["requests_refused_total", "invalid-transaction"] == 3
    assert found["requests_refused_total", "entry-of-a-batch"] == 1
    assert found["requests_refused_total", "not-found"] == 1


def test_refusals_while_the_server_is_away_are_counted_later() -> None:
    stored: list[dict[str, int]] = []
    is_away = True

    def store(counts: Any) -> None:
        if is_away:
            raise LedgerUnavailable
        stored.append(dict(counts))

    refusals = Refusals(store)
    refusals.count("a")
    with pytest.raises(LedgerUnavailable):
        refusals.flush()
    refusals.count("a", 2)
    is_away = False
    refusals.flush()
    assert stored == [{"a": 3}]


def test_a_server_that_is_away_is_told_once_and_counts_arrive_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refusals_module, "_PERIOD_S", 0.01)
    tries, arrived = [], Event()

    def store(counts: Any) -> None:
        tries.append(dict(counts))
        if len(tries) < 4:
            raise LedgerUnavailable
        arrived.set()

    Refusals(store).count("a")
    assert arrived.wait(5)
    assert tries == [{"a": 1}] * 4
    own = [record for record in caplog.records if record.name == "minequeue.web.guard.refusals"]
    assert len(own) == 1


def test_hash_rates_are_those_of_workers(ledger: Ledger, client: FlaskClient) -> None:
    redis: Any = ledger.redis.client
    with ledger.fleet.lease("worker@a") as one, ledger.fleet.lease("worker@a") as two:
        redis.hset("{minequeue:test}:rates", mapping={one: 5, two: 7})
        assert _scrape(client)["hash_rate_hashes_per_second", "worker@a"] == 12
    assert ("hash_rate_hashes_per_second", "worker@a") not in _scrape(client)
