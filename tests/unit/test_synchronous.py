from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.chaos import synchronous
from tests.chaos.synchronous import create_app, is_valid_chain


def test_a_transaction_is_announced_for_the_next_block_and_mined_inside_the_request() -> None:
    client = create_app().test_client()
    sent = {"sender": "alice", "recipient": "bob", "amount": 5}
    answer = client.post("/chain/new", json=sent)
    assert (answer.status_code, answer.json) == (
        201,
        {"message": "Transaction will be added to Block 2"},
    )
    mined = client.get("/chain/mine").json
    assert mined is not None
    assert (mined["index"], mined["transactions"][0]) == (2, sent)
    chain = client.get("/chain").get_json()
    assert chain["length"] == 2
    assert is_valid_chain(chain["chain"])


def test_an_incomplete_transaction_is_refused() -> None:
    assert create_app().test_client().post("/chain/new", json={"sender": "a"}).status_code == 400


def test_two_mine_requests_at_once_leave_an_invalid_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    app, both = create_app(), Barrier(2)
    find_proof = synchronous.find_proof

    def find_together(last_block: synchronous.Block) -> int:
        both.wait()  # each has read the tip by now
        return find_proof(last_block)

    monkeypatch.setattr(synchronous, "find_proof", find_together)
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(app.test_client().get, "/chain/mine") for _ in range(2)]:
            assert done.result().status_code == 200
    chain = app.test_client().get("/chain").get_json()["chain"]
    assert len(chain) == 3
    assert not is_valid_chain(chain)
