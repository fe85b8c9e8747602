"""What live pages are told: samples that all processes share, and the newest blocks."""

import json
from typing import Any

import fakeredis
import pytest
from flask.testing import FlaskClient

from minequeue.chain.errors import LedgerUnavailable
from minequeue.chain.ledger import Ledger, RedisClient
from minequeue.chain.protocol.block import Block
from minequeue.web.live import KEPT, PERIOD_S, Live, View
from tests.ledgers import make_ledger, mine_all, request_mine, submit
from tests.separate_ledgers import make_fake_client
from tests.waiting import wait_for
from tests.web_clients import POLICY, make_client


def read_events(client: FlaskClient, last: str = "") -> dict[str, str]:
    """The fields of the event that the client is told."""
    answer = client.get("/events", headers={"Last-Event-ID": last} if last else {})
    assert answer.status_code == 200
    assert answer.content_type == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text.endswith("\n\n")
    return dict(line.split(": ", 1) for line in answer.text.splitlines() if line)


def read_state(client: FlaskClient, last: str = "") -> Any:
    return json.loads(read_events(client, last)["data"])


def test_a_sample_tells_of_queue_chain_and_fleet(ledger: Ledger) -> None:
    submit(ledger, 3)
    mine_all(ledger)
    submit(ledger, 2)
    request_mine(ledger)
    ledger.fleet.send_heartbeat("worker@here", 4, "hashlib")
    state = read_state(make_client(ledger))
    (sample,) = state["samples"]
    expected = {"height": 2, "pending": 2, "mine_requests": 1, "accepted": 5, "mined": 3}
    assert expected.items() <= sample.items()
    assert (sample["connected"], sample["failed"], sample["fleet"]) == (1, 0, 4)
    assert [(block["index"], block["transactions"]) for block in state["blocks"]] == [
        (2, 3),
        (1, 0),
    ]


def test_who_has_the_newest_sample_is_told_nothing(ledger: Ledger) -> None:
    client = make_client(ledger)
    seen = read_events(client)
    assert read_events(client, seen["id"]) == {"retry": "2000"}


def test_who_names_a_sample_that_is_yet_to_come_begins_anew(ledger: Ledger) -> None:
    client = make_client(ledger)
    seen = int(read_events(client)["id"])
    assert len(read_state(client, str(seen + 1))["samples"]) == 1


@pytest.mark.parametrize("last", ["nonsense", "-1", "9" * 16])
def test_who_names_no_sample_begins_anew(ledger: Ledger, last: str) -> None:
    assert len(read_state(make_client(ledger), last)["samples"]) == 1


def test_two_processes_show_the_same_samples(ledger: Ledger) -> None:
    first, second = Live(ledger, POLICY), Live(ledger, POLICY)
    number = first.view().newest.number
    submit(ledger, 1)
    assert second.view().samples == first.view().samples
    assert second.view().newest.number - number <= 1


def test_what_others_took_is_there_as_well(ledger: Ledger) -> None:
    live = Live(ledger, POLICY)
    number = live.view().newest.number
    ledger.samples.keep(number - 1, b'{"taken":"elsewhere"}', most=KEPT, after=0)
    assert (number - 1, b'{"taken":"elsewhere"}') in Live(ledger, POLICY).view().samples


def test_a_clock_that_was_set_back_begins_anew(ledger: Ledger) -> None:
    live = Live(ledger, POLICY)
    number = live.view().newest.number
    # as if they had been taken by a clock that was ahead
    ledger.samples.keep(number + 1000, b"{}", most=2 * KEPT, after=0)
    live._view = View(((number + 1000, b"{}"),), ())
    live.take()
    assert [taken for taken, _ in live.view().samples][-1] - number <= 1
    assert not ledger.samples.keep(number + 500, b"", most=KEPT, after=number + 500)


def test_a_ledger_that_was_emptied_is_away_and_the_thread_goes_on(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minequeue.web.live.PERIOD_S", 1)
    live = Live(ledger, POLICY)
    live.take()
    client: Any = ledger.redis.client
    client.flushall()
    live.start()
    wait_for(lambda: live.view().is_away, "a look that fails", 5)
    assert "no genesis block" in live.view().reason
    ledger.open()
    wait_for(lambda: not live.view().is_away, "a look that succeeds", 5)


def test_blocks_that_were_listed_are_not_read_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(ledger, POLICY)
    for _ in range(12):
        submit(ledger, 1)
        mine_all(ledger)
    live.take()
    assert [line.index for line in live.view().blocks] == list(range(13, 3, -1))
    read: list[int] = []
    real = ledger.blocks.read_block

    def note(index: int) -> Block | None:
        read.append(index)
        return real(index)

    monkeypatch.setattr(ledger.blocks, "read_block", note)
    live.take()
    submit(ledger, 1)
    mine_all(ledger)
    live.take()
    assert read == [14]


def test_pages_learn_that_the_server_is_away_and_wait_for_nobody() -> None:
    server = fakeredis.FakeServer()
    ledger = make_ledger(RedisClient(make_fake_client(server), wait_s=0.1))
    client = make_client(ledger)
    live = client.application.extensions["minequeue"].live
    seen = read_events(client)
    server.connected = False
    with pytest.raises(LedgerUnavailable):
        live.take()
    assert read_events(client)["event"] == "away"
    assert "The database is not responding" in client.get("/").text
    server.connected = True
    live.take()
    assert read_events(client)["event"] == "state"
    assert int(read_events(client)["id"]) >= int(seen["id"])
    assert "The database is not responding" not in client.get("/").text


def test_a_page_that_has_nothing_to_show_says_why() -> None:
    server = fakeredis.FakeServer()
    ledger = make_ledger(RedisClient(make_fake_client(server), wait_s=0.1))
    server.connected = False
    client = make_client(ledger)
    page = client.get("/")
    assert (page.status_code, page.content_type) == (503, "text/html; charset=utf-8")
    assert read_events(client)["event"] == "away"


def test_without_a_thread_a_look_that_is_old_is_repeated(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("minequeue.web.live.time.monotonic", lambda: now[0])
    live = Live(ledger, POLICY)
    first = live.view()
    submit(ledger, 1)
    mine_all(ledger)
    assert live.view() is first
    now[0] += PERIOD_S
    assert live.view().blocks[0].index == 2
