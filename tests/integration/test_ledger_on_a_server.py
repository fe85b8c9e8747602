"""The ledger's tests once more, on the real server's Lua, memory and clock."""

import re
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
import redis
from hypothesis import settings

from minequeue.chain.errors import QueueFull
from minequeue.chain.ledger import Ledger, RedisClient, Submission
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.mining import Want
from minequeue.chain.ledger.pool import CheckedPool
from tests.ledger_machine import LedgerMachine
from tests.ledger_tests import *  # noqa: F403  # the same as on fakeredis
from tests.ledgers import make_ledger, mine_all, mined_ids, request_mine, submit
from tests.peers import meet_and_die
from tests.separate_ledgers import make_separate_ledger


class RealServerMachine(LedgerMachine):
    url = ""

    def make_client(self) -> redis.Redis:
        return redis.Redis.from_pool(CheckedPool.from_url(self.url))


@pytest.fixture(autouse=True)
def _server_for_the_machine(server_url: str) -> None:
    RealServerMachine.url = server_url


RealServerMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None
)
test_any_order_of_steps_keeps_the_promises_on_a_server = RealServerMachine.TestCase


def test_a_server_out_of_memory_refuses_work_and_mining_makes_room(
    redis_client: RedisClient,
) -> None:
    ledger = make_ledger(redis_client)
    accepted = submit(ledger, 20)
    request_mine(ledger)
    request_mine(ledger)
    client = redis_client.client
    client.config_set("maxmemory", 1)
    try:
        for work in (submit, request_mine):
            with pytest.raises(QueueFull):
                work(ledger)
        assert ledger.queue.read().pending == 20
        mine_all(ledger)
    finally:
        client.config_set("maxmemory", 0)
    assert list(mined_ids(ledger)) == [transaction.id for transaction in accepted]


def test_a_reorganisation_is_settled_where_memory_has_run_out(redis_client: RedisClient) -> None:
    ours, theirs = make_ledger(redis_client), make_separate_ledger()
    transactions = submit(ours, 3)
    mine_all(ours)
    waiting = submit(ours, 3)
    for _ in range(2):
        request_mine(theirs)
    theirs.mempool.submit([Submission([waiting[1]])])
    mine_all(theirs)
    meet_and_die(ours, theirs)
    request_mine(ours)
    client = redis_client.client
    client.config_set("maxmemory", 1)
    try:
        mine_all(ours)
    finally:
        client.config_set("maxmemory", 0)
    expected = [waiting[1], *transactions, waiting[0], waiting[2]]
    assert list(mined_ids(ours)) == [transaction.id for transaction in expected]


@pytest.mark.parametrize(
    ("run", "script"),
    [
        (lambda ledger: ledger.queue.read(), "read_queue.lua"),
        (lambda ledger: ledger.mining.claim(Want(1, "lease", 1000, 0)), "claim_range.lua"),
    ],
)
def test_an_error_of_a_script_names_its_file_and_line(
    ledger: Ledger, run: Callable[[Ledger], Any], script: str
) -> None:
    ledger.redis.client.set(Keys("test").candidate, "no hash")
    with pytest.raises(redis.ResponseError) as caught:
        run(ledger)
    assert caught.value.__notes__ == [script]
    (line,) = re.findall(r"user_script:(\d+)", str(caught.value))
    file = resources.files("minequeue.chain.ledger").joinpath("lua", script)
    assert "redis.call('HMGET', candidate" in file.read_text("utf-8").splitlines()[int(line) - 1]
