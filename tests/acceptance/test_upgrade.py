"""What the first version left is opened, served, checked, and mined on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http import Answer, post, post_raw, request
from tests.saved_ledgers import lay_out, read_facts
from tests.stack import Stack

VERSION = "first_version"


class Left:
    """A ledger that was left, and the stack that runs on it now."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self.facts = read_facts(VERSION, name)
        lay_out(VERSION, name, data_dir)
        self.stack = Stack(data_dir, **self.facts["settings"], miners="1,1", web_processes="1")

    def answers(self, path: str) -> list[dict[str, Any]]:
        """What was asked at ``path``, and how it was answered."""
        return [asked for asked in self.facts["answers"] if asked["path"] == path]

    def ask_again(self, asked: dict[str, Any]) -> Answer:
        headers = {"Idempotency-Key": asked["key"]}
        if asked["who"]:
            headers["Authorization"] = f"Bearer {self.facts['tokens'][asked['who']]}"
        if asked["path"] != "/chain/new":
            return request("POST", f"{self.stack.url}{asked['path']}", headers=headers)
        if isinstance(asked["body"], str):
            body = asked["body"].encode()
            return post_raw(self.stack.url, body, "application/x-ndjson", **headers)
        return post(self.stack.url, asked["body"], **headers)


@pytest.fixture(scope="module", params=["optional", "required"])
def left(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Left]:
    left = Left(request.param, tmp_path_factory.mktemp("left") / "data")
    left.stack.start()
    yield left
    assert left.stack.stop() == 0
    # by the rules that its ledger was given when it was taken over, and not by these bits
    done = left.stack.run("check", str(left.stack.data_dir), "--json", "--bits", "20")
    assert json.loads(done.stdout)["valid"], done.stdout


def _ids(answer: Any) -> list[str]:
    return [one["id"] for one in (answer if isinstance(answer, list) else [answer])]


def test_all_that_was_accepted_is_mined_once_on_the_same_chain(left: Left) -> None:
    left.stack.wait_until_drained()
    tip = left.facts["tip"]
    assert left.stack.get(f"/chain/blocks/{tip['index']}").json()["hash"] == tip["hash"]
    assert left.stack.get("/chain/tip").json()["index"] > tip["index"]
    assert left.stack.check()["valid"]
    for asked in left.answers("/chain/new"):
        for own in _ids(asked["answer"]):
            assert left.stack.get(f"/transactions/{own}").json()["status"] == "mined"
    for asked in left.answers("/chain/mine"):
        assert left.stack.get(f"/jobs/{asked['answer']['id']}").json()["status"] == "done"


def test_a_key_of_then_is_answered_as_then_and_pays_nothing_again(left: Left) -> None:
    keyed = [asked for asked in left.facts["answers"] if asked["key"]]
    assert keyed
    left.stack.wait_until_drained()
    for asked in keyed:
        again = left.ask_again(asked)
        assert again.status == 202, again
        assert _ids(again.json()) == _ids(asked["answer"])
    assert left.stack.queue()["depth"] == 0


def test_the_nodes_and_what_was_asked_of_them_are_known(left: Left) -> None:
    registered = [asked["answer"]["total_nodes"] for asked in left.answers("/nodes/register")]
    known = left.stack.get("/nodes/").json()["total_nodes"]
    assert known == (registered[-1] if registered else [])
    for asked in left.answers("/nodes/resolve"):
        assert left.stack.get(f"/jobs/{asked['answer']['id']}").json()["kind"] == "resolve"
