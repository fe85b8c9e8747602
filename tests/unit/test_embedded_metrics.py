"""What web prints for CloudWatch is what GET /queue says."""

import json
import logging
import threading

import pytest

from minequeue.chain.errors import LedgerUnavailable
from minequeue.chain.ledger import RedisClient
from minequeue.chain.scaling.backlog import Reading
from minequeue.chain.scaling.policy import Decision, Policy
from minequeue.web.aws.embedded_metrics import NAMESPACE, UNITS, EmbeddedMetrics, describe
from tests.ledgers import RULES, make_ledger, request_mine, submit
from tests.web_clients import make_client

POLICY = Policy(least=0, most=2, target_drain_s=10, quiet_s=10)


class Lines:
    """Takes lines, and tells when there are some."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.some = threading.Event()

    def write(self, line: str) -> None:
        self.taken.append(line)
        self.some.set()


def test_the_figures_are_those_of_the_queue(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client)
    ledger.fleet.send_heartbeat("worker", 2, "any")
    submit(ledger, 25)
    for _ in range(5):
        request_mine(ledger)
    reading, decision = ledger.queue.look(POLICY)
    told = describe(reading, decision, RULES)
    state = make_client(ledger).get("/queue").json
    assert state
    assert told["Depth"] == state["depth"] == 30
    assert told["Miners"] == state["miners"] == 2
    assert told["MinersWanted"] == state["miners_wanted"] == 2
    assert told["Backlog"] == state["backlog_hashes"] >> state["bits"] == 5
    assert told["BacklogPerMiner"] == 2.5
    assert 0 <= told["OldestAge"] <= state["oldest_age_s"]
    assert told["_aws"]["Timestamp"] == reading.now_ms


def test_without_workers_the_backlog_per_worker_is_the_backlog(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client)
    for _ in range(3):
        request_mine(ledger)
    told = describe(*ledger.queue.look(POLICY), RULES)
    assert (told["Miners"], told["BacklogPerMiner"]) == (0, 3)


def test_every_metric_that_is_declared_is_told_beside_its_dimension(
    redis_client: RedisClient,
) -> None:
    told = describe(*make_ledger(redis_client).queue.look(POLICY), RULES)
    (directive,) = told["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert {metric["Name"] for metric in directive["Metrics"]} == set(UNITS)
    (dimensions,) = directive["Dimensions"]
    assert set(told) == {"_aws", *UNITS, *dimensions}
    assert told["Network"] == RULES.network


def test_a_thread_prints_one_line_of_json_a_period(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client)
    lines = Lines()
    EmbeddedMetrics(lambda: ledger.queue.look(POLICY), RULES, lines.write, 3600).start()
    assert lines.some.wait(5)
    (line,) = lines.taken
    assert line.endswith("}\n")
    assert "\n" not in line[:-1]
    assert json.loads(line)["Depth"] == 0


def test_while_the_server_is_away_nothing_is_printed_and_later_it_is(
    redis_client: RedisClient, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = make_ledger(redis_client)
    lines = Lines()
    faults = [LedgerUnavailable()]

    def look() -> tuple[Reading, Decision]:
        if faults:
            raise faults.pop()
        return ledger.queue.look(POLICY)

    with caplog.at_level(logging.WARNING):
        EmbeddedMetrics(look, RULES, lines.write, 0.01).start()
        assert lines.some.wait(5)
    assert "no metrics are printed" in caplog.text
