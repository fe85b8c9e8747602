"""Ledgers in this process that have nothing in common, as those of two nodes."""

import fakeredis

from minequeue.chain.ledger import Ledger, RedisClient
from minequeue.chain.ledger.pool import CheckedPool
from minequeue.chain.protocol.rules import Bounds, Rules
from tests.ledgers import BOUNDS, RULES, make_ledger


def make_fake_client(server: fakeredis.FakeServer | None = None) -> fakeredis.FakeRedis:
    """A client of a fakeredis, its own unless it is named, whose connections are checked."""
    return fakeredis.FakeRedis(
        server=server or fakeredis.FakeServer(), connection_pool_class=CheckedPool
    )


def make_separate_ledger(rules: Rules = RULES, bounds: Bounds = BOUNDS) -> Ledger:
    """A ledger on a fakeredis of its own."""
    return make_ledger(RedisClient(make_fake_client(), wait_s=1), rules, bounds)
