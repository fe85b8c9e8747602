"""Ledgers in this process that have nothing in common, as those of two nodes."""

import fakeredis

from chain.ledger import Connection, Ledger
from chain.rules import Bounds, Rules
from tests.ledgers import BOUNDS, RULES, make_ledger


def make_separate_ledger(rules: Rules = RULES, bounds: Bounds = BOUNDS) -> Ledger:
    """A ledger on a fakeredis of its own."""
    client = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    return make_ledger(Connection(client, wait_s=1), rules, bounds)
