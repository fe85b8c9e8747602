"""`minequeue burst` at a node of a few lines: what it makes of refusals, and how it looks."""

import json
from collections import Counter
from typing import Any

import pytest
from click.testing import CliRunner, Result

from minequeue.compose.cli.main import cli
from tests.faulty_node import Asked, Told, serve
from tests.independent import make_block, make_reward, make_transaction

QUEUE = {
    "depth": 0,
    "oldest_age_s": 0,
    "estimated_drain_s": 0,
    "hash_rate": 0,
    "miners": 1,
    "miners_busy": 0,
    "miners_wanted": 0,
    "tip": {"index": 2, "hash": "00"},
}
BUSY = Told(429, headers={"Retry-After": "0"})
AWAY = Told(503, headers={"Retry-After": "0"})


def _tell(value: Any, status: int = 200) -> Told:
    return Told(status, json.dumps(value).encode())


class Node:
    """Accepts everything, has it in block 2 at once, and refuses each first look as it is told."""

    def __init__(self, refusal: Told | None) -> None:
        self.refusal = refusal
        self.transactions: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()

    def answer(self, asked: Asked) -> Told | None:
        if asked.path == "/chain/new":
            self.transactions.append(make_transaction(**json.loads(asked.body)))
            return _tell({"id": self.transactions[-1]["id"]}, 202)
        if asked.path == "/chain/mine":
            return _tell({"id": "job"}, 202)
        self.asked[asked.path] += 1
        if asked.path == "/queue":
            return _tell(QUEUE)
        if self.asked[asked.path] == 1:
            return self.refusal
        if asked.path == "/jobs/job":
            return _tell({"status": "done", "block": {"index": 2}})
        first = make_block(None, [])
        chain = [first, make_block(first, [*self.transactions, make_reward(2)], bits=1)]
        index = 1 if "from=1&" in asked.path else 2
        return _tell({"chain": [chain[index - 1]], "length": 2})


def _burst(url: str, *options: str) -> Result:
    # one connection: a node of a few lines keeps its list without a lock
    return CliRunner().invoke(cli, ["burst", url, "--concurrency", "1", "--json", *options])


@pytest.mark.parametrize("refusal", [BUSY, AWAY, None])
def test_a_receipt_is_looked_for_again_where_the_node_refuses_or_is_away(
    refusal: Told | None,
) -> None:
    node = Node(refusal)
    with serve(node.answer) as url:
        done = _burst(
            url, "--requests", "20", "--mine", "10", "--seed", "1", "--retry", "--wait", "60"
        )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["lost"], found["jobs_lost"]) == (0, 0)
    assert found["mined"] == len(node.transactions) > 0
    assert found["jobs"] == 1
    assert {path: count for path, count in node.asked.items() if path != "/queue"} == {
        "/chain?from=1&limit=1": 2,
        "/chain?from=2&limit=1": 2,
        "/jobs/job": 2,
    }


def test_a_look_that_is_refused_for_good_is_said() -> None:
    node = Node(Told(404, b'{"detail": "There is no chain here."}'))
    with serve(node.answer) as url:
        done = _burst(url, "--requests", "5", "--mine", "0", "--wait", "60")
    assert done.exit_code == 1
    assert "There is no chain here." in str(done.exception)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "50 of 50 requests were refused with 401; set MINEQUEUE_TOKEN to a token"),
        (403, "50 of 50 requests were refused with 403; MINEQUEUE_TOKEN needs a token with"),
        (404, "50 of 50 requests were refused with 404"),
        (429, "None of 50 requests was accepted"),
        (500, "None of 50 requests was accepted"),
    ],
)
def test_a_burst_that_is_refused_has_failed(status: int, said: str) -> None:
    def answer(asked: Asked) -> Told:
        if asked.path == "/queue":
            return _tell(QUEUE)
        if asked.method == "POST" or asked.path == "/chain/mine":
            return Told(status)
        return _tell({"chain": [make_block(None, [])], "length": 1})

    with serve(answer) as url:
        done = _burst(url, "--requests", "50", "--read", "0")
    assert done.exit_code == 1
    assert said in done.stderr
    assert json.loads(done.stdout)["refused"] == {str(status): 50}


def test_one_refusal_that_no_repetition_mends_is_enough() -> None:
    node = Node(None)
    node.asked.update(["/chain?from=1&limit=1", "/chain?from=2&limit=1"])

    def answer(asked: Asked) -> Told | None:
        if asked.path == "/chain/new" and len(node.transactions) == 4:
            node.transactions.append(make_transaction(nonce="somebody else's"))
            return Told(413)
        return node.answer(asked)

    with serve(answer) as url:
        done = _burst(url, "--requests", "10", "--mine", "0", "--read", "0")
    assert "1 of 10 requests were refused with 413" in done.stderr
    assert done.exit_code == 1
    assert json.loads(done.stdout)["mined"] == 9
