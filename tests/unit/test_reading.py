"""Large answers are sent in parts and in slots, so that those who do not read keep no memory."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger, RedisClient
from minequeue.web.guard.slots import Slots
from minequeue.web.http import streams as reading
from minequeue.web.http.streams import PART_BYTES
from tests.ledgers import BOUNDS, RULES, make_ledger, mine_all, submit
from tests.web_clients import PLAIN, make_client

LARGE = "/chain/blocks/2"
ENTRIES = 128  # of the largest batch whose receipts need no slot


@pytest.fixture
def ledger(redis_client: RedisClient) -> Ledger:
    """With a block that is larger than a part, and two slots to read it in."""
    rules = replace(RULES, block_transactions=1000, block_bytes=2**30)
    made = make_ledger(redis_client, rules, replace(BOUNDS, pending=2000))
    submit(made, 500)
    mine_all(made)
    return made


def _client(ledger: Ledger, readers: int) -> FlaskClient:
    return make_client(ledger, readers=readers, batch=1000, body_bytes=1_000_000, page=1000)


def _is_refused(answer: Any) -> bool:
    problem = json.loads(answer.data) if answer.status_code == 429 else {}
    return bool(
        problem.get("type") == "urn:minequeue:problem:too-many-readers"
        and int(answer.headers["Retry-After"]) >= 1
    )


def test_a_large_block_is_sent_in_parts_and_is_the_same(ledger: Ledger) -> None:
    client = _client(ledger, 1)
    answer = client.get(LARGE)
    parts = list(answer.iter_encoded())
    assert max(map(len, parts)) == PART_BYTES
    block = ledger.blocks.read_block(2)
    assert block
    assert b"".join(parts) == block.to_json()
    assert answer.headers["Content-Length"] == str(len(block.to_json()))
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", [LARGE, "/docs/swagger-ui.css"])
def test_whatever_is_large_needs_a_slot_that_is_free_again_once_it_is_read(
    ledger: Ledger, path: str
) -> None:
    client = _client(ledger, 1)
    for _ in range(2):
        with client.get(path) as reader:
            assert reader.status_code == 200
            assert _is_refused(client.get(LARGE))
            assert client.get("/chain/tip").status_code == 200
            assert client.get("/chain/blocks/1").status_code == 200
            assert client.head(LARGE).status_code == 200
    assert client.get(LARGE).status_code == 200


def test_a_large_page_of_headers_needs_a_slot(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(_client(ledger, 1).get("/chain/headers").data)
    monkeypatch.setattr(reading, "PART_BYTES", size)
    assert _client(ledger, 0).get("/chain/headers").status_code == 200
    monkeypatch.setattr(reading, "PART_BYTES", size - 1)
    assert _is_refused(_client(ledger, 0).get("/chain/headers"))


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_a_batch_that_no_receipts_could_be_sent_for_is_refused_before_it_is_queued(
    ledger: Ledger, kind: str
) -> None:
    client = _client(ledger, 0)

    def post(count: int) -> Any:
        lines = [json.dumps(PLAIN)] * count
        is_array = kind == "application/json"
        body = f"[{','.join(lines)}]" if is_array else "\n".join(lines)
        return client.post("/chain/new", data=body, content_type=kind)

    assert _is_refused(post(ENTRIES + 1))
    assert ledger.queue.read().pending == 0
    answer = post(ENTRIES)
    assert answer.status_code == 202
    assert len(answer.data) <= PART_BYTES


def test_the_slot_of_a_batch_is_free_again_whatever_comes_of_it(ledger: Ledger) -> None:
    client = _client(ledger, 1)
    for entry, status in ((PLAIN, 202), ({}, 400), (PLAIN, 202)):
        answer = client.post("/chain/new", json=[entry] * 500)
        assert answer.status_code == status
        assert len(json.loads(answer.data)) in {500, 5}  # receipts, or the members of the problem
        answer.close()
    full = client.post("/chain/new", json=[PLAIN] * 1000)
    assert full.status_code == 202
    full.close()
    assert client.post("/chain/new", json=[PLAIN] * 500).get_json()["type"].endswith("queue-full")
    assert client.get(LARGE).status_code == 200


def test_one_who_comes_waits_for_a_slot_unless_all_have_theirs_for_long() -> None:
    room = Slots(1, slow_s=0.1, timeout_s=30)
    slot = room.acquire(for_later=True)  # whoever has not begun is not slow
    assert slot is not None
    taken: list[object | None] = []
    waiter = threading.Thread(target=lambda: taken.append(room.acquire()))
    waiter.start()
    room.release(slot)
    waiter.join(30)
    assert taken[0] is not None
    room.start(taken[0])
    assert room.acquire() is None


def test_a_slot_is_given_back_once() -> None:
    room = Slots(1)
    slot = room.acquire()
    room.release(slot)
    with pytest.raises(KeyError):
        room.release(slot)
