"""Backups on a real server, taken while it works."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger, Location, RedisClient, open_redis, waiting
from minequeue.chain.protocol.rules import Bounds
from minequeue.chain.protocol.transaction import Transaction
from minequeue.compose.backup.command import export_chain, import_file
from tests.ledgers import (
    make_ledger,
    make_miner,
    mine_all,
    mined_ids,
    request_mine,
    submit,
)
from tests.waiting import wait_for

ROUNDS = 3  # each takes longer than the one before: the node works faster than a test
_BATCH = 40  # transactions in one submission; a block takes ten


@pytest.fixture
def ours(redis_client: RedisClient) -> Ledger:
    return make_ledger(redis_client)


@pytest.fixture
def other(server_url: str, redis_client: RedisClient) -> Iterator[Ledger]:
    """An empty ledger of the same network, in another database of the server."""
    made = open_redis(f"{server_url}?db=1", wait_s=2)
    assert redis_client.client.dbsize() == made.client.dbsize() == 0
    yield make_ledger(made, bounds=Bounds(10**6, 10**9))  # jobs of every round wait in it
    made.client.close()


@pytest.fixture
def busy(ours: Ledger) -> Iterator[list[Transaction]]:
    """Transactions are accepted, and mined, all the time; those that were accepted so far."""
    accepted: list[Transaction] = []
    is_over = threading.Event()

    def accept() -> None:
        while not is_over.is_set():
            accepted.extend(submit(ours, _BATCH))
            while ours.queue.read().pending > _BATCH and not is_over.is_set():
                is_over.wait(0.001)  # for room: the queue is bounded

    def mine() -> None:
        while not is_over.is_set():
            if ours.queue.read().mine_requests < 50:
                request_mine(ours)
            make_miner(ours).run()

    threads = [threading.Thread(target=work) for work in (accept, mine)]
    for thread in threads:
        thread.start()
    yield accepted
    is_over.set()
    for thread in threads:
        thread.join()


def test_what_was_accepted_before_an_export_is_in_it_however_busy_the_node_is(
    other: Ledger,
    ours: Ledger,
    busy: list[Transaction],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_BATCH", 10)  # so that blocks come between two parts
    file = str(tmp_path / "backup.ndjson")
    before = 0
    for _ in range(ROUNDS):
        wait_for(lambda: len(busy) > before, "more that is accepted")  # noqa: B023  # at once
        before = len(busy)
        exported = export_chain(ours, file, first=None, is_resumed=True)
        import_file(file, "test", "optional", lambda: other)
        assert other.blocks.tip().header.hash.hex() == exported.tip
        for transaction in busy[:before]:
            assert other.blocks.locate_transaction(bytes.fromhex(transaction.id)) is not None
    mine_all(other)
    ids = list(mined_ids(other))
    assert len(ids) == len({*ids})
    for transaction in busy[:before]:
        place = other.blocks.locate_transaction(bytes.fromhex(transaction.id))
        assert isinstance(place, Location)
