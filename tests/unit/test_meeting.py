"""Meetings of two nodes: the heavier chain wins, whole, and no transaction falls between them."""

from dataclasses import replace
from typing import Any

import pytest

from minequeue.chain.errors import BranchTooLarge, InvalidBlock
from minequeue.chain.ledger import (
    Ledger,
    Location,
    MinedBy,
    OpenResult,
    Pending,
    Record,
    Submission,
)
from minequeue.chain.protocol.block import Block, join_body
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.merkle import calculate_root
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.chain.protocol.transaction import Transaction, reward
from minequeue.workers.peers import meeting
from minequeue.workers.peers.node import PeerFaulty
from tests.ledgers import (
    RULES,
    make_ledger,
    make_miner,
    make_transaction,
    mine_all,
    mined_ids,
    read_chain,
    request_mine,
    submit,
)
from tests.mining_steps import build_template
from tests.peers import LedgerNode, meet
from tests.separate_ledgers import make_separate_ledger


@pytest.fixture
def ours() -> Ledger:
    return make_separate_ledger()


@pytest.fixture
def theirs() -> Ledger:
    return make_separate_ledger()


def _mine(ledger: Ledger, *transactions: Transaction) -> None:
    """One block with just these."""
    if transactions:
        ledger.mempool.submit([Submission(list(transactions))])
    request_mine(ledger)
    make_miner(ledger).run()


def _find(ledger: Ledger, transaction: Transaction) -> Location | Pending | None:
    return ledger.blocks.locate_transaction(bytes.fromhex(transaction.id))


def _tip(ledger: Ledger) -> Header:
    return ledger.blocks.tip().header


def _pending_ids(ledger: Ledger) -> list[str]:
    client: Any = ledger.redis.client
    return [entry[:32].hex() for entry in client.lrange("{minequeue:test}:pending", 0, -1)]


def test_a_longer_chain_is_taken_over_block_by_block(ours: Ledger, theirs: Ledger) -> None:
    transactions = [make_transaction() for _ in range(3)]
    for transaction in transactions:
        _mine(theirs, transaction)
    assert meet(ours, theirs) == "ahead"
    assert read_chain(ours) == read_chain(theirs)
    assert ours.blocks.tip() == theirs.blocks.tip()
    for index, transaction in enumerate(transactions, 2):
        place = _find(ours, transaction)
        assert isinstance(place, Location)
        assert (place.header.index, place.position) == (index, 0)


def test_only_the_bodies_after_the_fork_are_read(ours: Ledger, theirs: Ledger) -> None:
    for _ in range(30):
        _mine(theirs)
    meet(ours, theirs)
    _mine(theirs)
    node = LedgerNode(theirs)
    meet(ours, node)
    assert [asked for asked in node.asked if "block" in asked] == ["block 32"]


def test_a_chain_of_less_work_changes_nothing_and_its_node_is_told(
    ours: Ledger, theirs: Ledger
) -> None:
    _mine(ours)
    tip = _tip(ours)
    node = LedgerNode(theirs)
    assert meet(ours, node) == "behind"
    assert node.announced == 1
    assert _tip(ours) == tip


def test_on_a_tie_the_one_seen_first_stays(ours: Ledger, theirs: Ledger) -> None:
    _mine(ours, make_transaction())
    _mine(theirs, make_transaction())
    tip = _tip(ours)
    node = LedgerNode(theirs)
    assert meet(ours, node) == "same"
    assert node.announced == 0
    assert _tip(ours) == tip


def test_more_work_wins_over_more_blocks(theirs: Ledger) -> None:
    ours = make_separate_ledger()
    for _ in range(3):
        _mine(ours)
    harder = make_ledger(theirs.redis, replace(RULES, bits=6))
    _mine(harder)  # 2^6 hashes against three times 2^4
    assert meet(ours, harder) == "ahead"
    assert _tip(ours) == _tip(harder)
    assert _tip(ours).index == 2


def test_transactions_of_stale_blocks_return_to_the_head_of_pending_in_order(
    ours: Ledger, theirs: Ledger
) -> None:
    first, second, third = (make_transaction() for _ in range(3))
    _mine(ours, first)
    _mine(ours, second)
    ours.mempool.submit([Submission([third])])
    for _ in range(3):
        _mine(theirs)
    meet(ours, theirs)
    assert _pending_ids(ours) == [first.id, second.id, third.id]
    assert isinstance(_find(ours, first), Pending)
    reading = ours.queue.read()
    client: Any = ours.redis.client
    assert reading.pending_bytes == sum(
        len(entry) for entry in client.lrange("{minequeue:test}:pending", 0, -1)
    )
    mine_all(ours)
    assert list(mined_ids(ours)) == [first.id, second.id, third.id]


def test_transactions_that_the_branch_holds_leave_pending(ours: Ledger, theirs: Ledger) -> None:
    shared, own, late = (make_transaction() for _ in range(3))
    ours.mempool.submit([Submission([own, shared, late])])
    _mine(theirs, shared)
    meet(ours, theirs)
    assert _pending_ids(ours) == [own.id, late.id]
    assert isinstance(_find(ours, shared), Location)
    mine_all(ours)
    assert sorted(mined_ids(ours)) == sorted([own.id, shared.id, late.id])
    assert ours.queue.read().pending_bytes == 0


def test_a_transaction_in_a_stale_block_and_in_the_branch_moves_to_its_new_place(
    ours: Ledger, theirs: Ledger
) -> None:
    shared, own = make_transaction(), make_transaction()
    _mine(ours, own, shared)
    _mine(theirs)
    _mine(theirs, shared)
    meet(ours, theirs)
    place = _find(ours, shared)
    assert isinstance(place, Location)
    assert place.header.index == 3
    assert _pending_ids(ours) == [own.id]


def test_pending_is_left_empty_where_the_branch_holds_all_of_it(
    ours: Ledger, theirs: Ledger
) -> None:
    shared = make_transaction()
    ours.mempool.submit([Submission([shared])])
    _mine(theirs, shared)
    meet(ours, theirs)
    assert ours.queue.read().pending == 0
    assert ours.queue.read().pending_bytes == 0


def test_pending_never_ends_by_itself_after_it_was_rebuilt(ours: Ledger, theirs: Ledger) -> None:
    shared, own = make_transaction(), make_transaction()
    _mine(ours, own)
    ours.mempool.submit([Submission([shared])])
    for _ in range(2):
        _mine(theirs, *([shared] if _find(theirs, shared) is None else []))
    meet(ours, theirs)
    client: Any = ours.redis.client
    assert _pending_ids(ours) == [own.id]
    assert client.ttl("{minequeue:test}:pending") == -1
    assert client.keys("*branch*") == []


def test_a_repeated_submission_of_what_the_branch_holds_gives_no_second_entry(
    ours: Ledger, theirs: Ledger
) -> None:
    elsewhere = make_transaction()
    _mine(theirs, elsewhere)
    meet(ours, theirs)
    ours.mempool.submit([Submission([elsewhere])])
    assert ours.queue.read().pending == 0


def test_rewards_of_stale_blocks_are_void(ours: Ledger, theirs: Ledger) -> None:
    _mine(ours, make_transaction())
    reward = read_chain(ours)[1].leaves[-1]
    own_id = bytes.fromhex(reward.decode().split('"id":"')[1][:64])
    for _ in range(2):
        make_other = make_miner(theirs)
        make_other._recipient = "another"
        request_mine(theirs)
        make_other.run()
    meet(ours, theirs)
    assert ours.blocks.locate_transaction(own_id) is None


def test_what_was_being_mined_on_the_old_tip_is_dropped_and_its_request_stays(
    ours: Ledger, theirs: Ledger
) -> None:
    (transaction,) = submit(ours)
    job = request_mine(ours)
    reading, template = build_template(ours)
    assert ours.mining.open(reading, template) is OpenResult.OPENED
    _mine(theirs)
    meet(ours, theirs)
    assert ours.queue.read().candidate is None
    assert ours.queue.read().oldest_job == job
    assert ours.mining.open(reading, template) is OpenResult.STALE
    mine_all(ours)
    assert isinstance(_find(ours, transaction), Location)
    assert isinstance(ours.blocks.locate_job(job), MinedBy)


def test_a_tip_that_moves_while_a_branch_is_staged_is_seen(ours: Ledger, theirs: Ledger) -> None:
    own = [make_transaction() for _ in range(2)]
    _mine(ours, own[0])
    for _ in range(4):
        _mine(theirs)

    class WhileReading(LedgerNode):
        def block(self, header: Header) -> Block:
            if header.index == 4:
                _mine(ours, own[1])
            return super().block(header)

    assert meet(ours, WhileReading(theirs)) == "ahead"
    assert _tip(ours) == _tip(theirs)
    assert _pending_ids(ours) == [transaction.id for transaction in own]


def test_a_branch_in_many_batches_is_taken_over_whole(
    ours: Ledger, theirs: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "_BATCH", 2)
    monkeypatch.setattr(meeting, "PAGE", 3)
    own = make_transaction()
    for _ in range(3):
        _mine(ours)
    _mine(ours, own)
    for _ in range(12):
        _mine(theirs, make_transaction())
    meet(ours, theirs)
    assert read_chain(ours) == read_chain(theirs)
    assert _pending_ids(ours) == [own.id]


def test_another_network_is_refused(ours: Ledger) -> None:
    other = make_separate_ledger(replace(RULES, network="other"))
    _mine(other)
    with pytest.raises(PeerFaulty, match="another network"):
        meet(ours, other)


class Liar(LedgerNode):
    """Claims more work than its headers show."""

    def tip(self) -> Record:
        return Record(super().tip().header, 2**80)


def test_claimed_work_counts_for_nothing(ours: Ledger, theirs: Ledger) -> None:
    for _ in range(3):
        _mine(ours)
    _mine(theirs)
    tip = _tip(ours)
    with pytest.raises(PeerFaulty, match="less work than it claims"):
        meet(ours, Liar(theirs))
    assert _tip(ours) == tip


def test_a_branch_of_too_many_headers_is_refused(
    ours: Ledger, theirs: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "MAX_HEADERS", 3)
    monkeypatch.setattr(meeting, "PAGE", 1)
    for _ in range(5):
        _mine(ours)
        _mine(theirs)
    with pytest.raises(BranchTooLarge):
        meet(ours, Liar(theirs))


def _with_body(ledger: Ledger, leaves: list[bytes]) -> LedgerNode:
    """A node whose tip has this body, under a header that was mined for it."""
    before = ledger.blocks.tip().header
    header = Header(
        1,
        RULES.bits,
        before.index + 1,
        before.timestamp + 1,
        before.hash,
        calculate_root(leaves),
        0,
    )
    nonce = search_with_hashlib(header.prefix, 0, 2**20)
    assert nonce is not None
    header = replace(header, proof=nonce)

    class Forger(LedgerNode):
        def tip(self) -> Record:
            record = super().tip()
            return Record(header, record.cumulative_work + header.work)

        def headers(self, first: int, limit: int) -> list[Header]:
            honest = super().headers(first, limit)
            missing = len(honest) < limit and first + len(honest) == header.index
            return [*honest, header] if missing else honest

        def block(self, wanted: Header) -> Block:
            return Block(header, join_body(leaves)) if wanted == header else super().block(wanted)

    return Forger(ledger)


def test_a_body_that_breaks_a_rule_changes_nothing(ours: Ledger, theirs: Ledger) -> None:
    transaction = make_transaction()
    with pytest.raises(InvalidBlock, match="reward"):
        meet(ours, _with_body(theirs, [transaction.canonical]))
    assert _tip(ours).index == 1
    assert _find(ours, transaction) is None


def test_a_transaction_that_stands_before_the_fork_may_not_come_again(
    ours: Ledger, theirs: Ledger
) -> None:
    transaction = make_transaction()
    _mine(theirs, transaction)
    meet(ours, theirs)
    again = [transaction.canonical, reward("forger", 3).canonical]
    with pytest.raises(InvalidBlock, match="earlier block"):
        meet(ours, _with_body(theirs, again))
    assert _tip(ours).index == 2


def test_a_body_under_another_header_is_refused(ours: Ledger, theirs: Ledger) -> None:
    _mine(theirs, make_transaction())
    _mine(theirs, make_transaction())

    class Mixer(LedgerNode):
        def block(self, header: Header) -> Block:
            block = super().block(header)
            return Block(header, read_chain(theirs)[2].body) if header.index == 2 else block

    with pytest.raises(InvalidBlock, match="Merkle root"):
        meet(ours, Mixer(theirs))
    assert _tip(ours).index == 1


def test_a_branch_with_an_unsigned_transaction_is_refused_where_signatures_are_demanded(
    theirs: Ledger,
) -> None:
    ours = make_separate_ledger(replace(RULES, signed=True))
    _mine(theirs, make_transaction())
    with pytest.raises(InvalidBlock, match="only signed transactions"):
        meet(ours, theirs)
    assert _tip(ours).index == 1
