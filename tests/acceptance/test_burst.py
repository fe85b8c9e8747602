"""A burst goes in while everything dies; what was accepted stands once in one valid chain."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.http import Answer, post, request
from tests.stack import Stack
from tests.waiting import wait_for

SUBMISSIONS = 2000
MINE_REQUESTS = 60
CLIENTS = 16


@pytest.fixture
def burst_stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "data", block_transactions="300", miners="2,2").start()
    yield stack
    assert stack.stop() == 0
    assert stack.processes() == []


class Client:
    """Submits until each submission has its 202, as a careful client does; keeps every receipt."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self.receipts: list[str] = []
        self.statuses: Counter[int] = Counter()

    def _until_accepted(self, send: "itertools.chain[Answer] | Iterator[Answer]") -> Answer:
        for answer in send:
            with self._lock:
                self.statuses[answer.status] += 1
            if answer.status == 202:
                return answer
        raise AssertionError("unreachable: the iterator has no end")

    def submit(self, number: int) -> None:
        plain = {"sender": "alice", "recipient": "bob", "amount": number}
        key = f"submission {number}"
        answer = self._until_accepted(
            post(self._stack.url, plain, Idempotency_Key=key) for _ in itertools.count()
        )
        with self._lock:
            self.receipts.append(answer.json()["id"])

    def mine(self, number: int) -> None:
        headers = {"Idempotency-Key": f"mine {number}"}
        self._until_accepted(
            request("POST", f"{self._stack.url}/chain/mine", headers=headers)
            for _ in itertools.count()
        )


def _burst(stack: Stack, kill: str | None) -> Client:
    client = Client(stack)
    with ThreadPoolExecutor(CLIENTS) as threads:
        work = [threads.submit(client.submit, number) for number in range(SUBMISSIONS)]
        work += [threads.submit(client.mine, number) for number in range(MINE_REQUESTS)]
        for share in (SUBMISSIONS // 4, SUBMISSIONS // 2):
            if kill is None:
                break
            wait_for(lambda s=share: len(client.receipts) >= s, f"{share} receipts")  # type: ignore[misc]  # mypy does not infer defaults of lambdas
            for victim in stack.processes_of(kill):
                with suppress(psutil.NoSuchProcess):
                    victim.kill()
        for done in work:
            done.result()
    return client


@pytest.mark.parametrize("kill", [None, "worker", "valkey-server", "web"])
def test_every_transaction_of_a_burst_is_mined_once_whatever_is_killed(
    burst_stack: Stack, kill: str | None
) -> None:
    client = _burst(burst_stack, kill)
    burst_stack.wait_until_drained()
    found = burst_stack.check()
    assert found["transactions"] == len(set(client.receipts)) == SUBMISSIONS
    assert found["blocks"] >= 1 + MINE_REQUESTS
    chain = json.loads(burst_stack.get("/chain").body)["chain"]
    mined = Counter(t["id"] for block in chain for t in block["transactions"])
    assert all(mined[receipt] == 1 for receipt in client.receipts)
    if kill in {None, "worker"}:
        assert set(client.statuses) == {202}
    else:
        # the web tier's own death closes connections (0), the server's takes a moment (503)
        assert set(client.statuses) <= {202, 503, 0}
