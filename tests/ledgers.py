"""What tests of the ledger share: a small network, and ways to fill and drain its queue."""

import itertools
from collections.abc import Iterator
from typing import Any

from minequeue.chain.ledger import Ledger, Location, Pending, RedisClient, Submission, SubmitResult
from minequeue.chain.ledger.blocks import name_root
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header, put_nonce
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.protocol.transaction import Transaction, accept_submission
from minequeue.chain.scaling.backlog import OpenCandidate
from minequeue.workers.mining.miner import Miner

RULES = Rules(
    network="test", bits=4, block_interval_s=5, block_transactions=10, block_bytes=100_000
)
BOUNDS = Bounds(pending=100, pending_bytes=1_000_000)
_numbers = itertools.count()


def make_ledger(redis_client: RedisClient, rules: Rules = RULES, bounds: Bounds = BOUNDS) -> Ledger:
    ledger = Ledger(redis_client, rules, bounds)
    ledger.open()
    return ledger


def make_transaction(nonce: str | None = None) -> Transaction:
    """A transaction that no other call gives, or the one of this nonce."""
    return accept_submission(
        {"sender": "alice", "recipient": "bob", "amount": 1},
        lambda: nonce or f"n{next(_numbers)}",
    )


def submit(ledger: Ledger, count: int = 1) -> list[Transaction]:
    transactions = [make_transaction() for _ in range(count)]
    assert ledger.mempool.submit([Submission(transactions)]) == [SubmitResult.ACCEPTED]
    return transactions


def make_job() -> str:
    return f"{next(_numbers):032x}"


def request_mine(ledger: Ledger) -> str:
    job = make_job()
    assert ledger.mempool.request_mine(job) is SubmitResult.ACCEPTED
    return job


def make_miner(ledger: Ledger) -> Miner:
    return Miner(ledger, search_with_hashlib, "node")


def mine_all(ledger: Ledger) -> None:
    """Mine until nothing waits; every entry is asked for by a mine request of its own."""
    miner = make_miner(ledger)
    for _ in range(ledger.queue.read().depth + 1):
        reading = ledger.queue.read()
        if not reading.depth:
            return
        if not reading.mine_requests:
            request_mine(ledger)
        miner.run()
    raise AssertionError(f"{ledger.queue.read().depth} entries were not mined")


def let_a_day_pass(ledger: Ledger) -> None:
    """What is remembered of today becomes yesterday's, and what was yesterday's is forgotten."""
    client: Any = ledger.redis.client
    keys = Keys(ledger.rules.network)
    even_odd = keys.idempotency_even, keys.idempotency_odd
    day = client.time()[0] // 86_400
    today, yesterday = even_odd[day % 2], even_odd[1 - day % 2]
    client.delete(yesterday)
    if client.exists(today):
        client.rename(today, yesterday)


def place_some(ledger: Ledger, candidate: OpenCandidate, count: int) -> Any:
    """Give places to so many of the candidate's transactions, as a miner that then dies does."""
    header = Header.unpack(put_nonce(candidate.prefix, 0))
    return ledger.redis.script(
        Keys(ledger.rules.network),
        "place_transactions",
        [candidate.prefix, header.index, name_root(header), count],
    )


def find_place(ledger: Ledger, transaction: Transaction) -> tuple[int, int] | Pending | None:
    """The block's index and the position in it, where it is in a block."""
    found = ledger.blocks.locate_transaction(bytes.fromhex(transaction.id))
    return (found.header.index, found.position) if isinstance(found, Location) else found


def read_chain(ledger: Ledger) -> list[Block]:
    return list(ledger.blocks.iterate(1, ledger.blocks.tip().header.index))


def mined_ids(ledger: Ledger) -> Iterator[str]:
    """The ids on the chain in order, rewards left out."""
    for block in read_chain(ledger)[1:]:
        for leaf in block.leaves[:-1]:
            yield leaf.decode().split('"id":"')[1][:64]
