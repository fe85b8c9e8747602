"""A state machine of up to five nodes, which accept, mine and meet in any order.

The model is what the promises say: every accepted transaction is pending or in one block of the
node that accepted it, wherever the chains go; and once all have met, there is one chain.
"""

from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from minequeue.chain.audit import Auditor
from minequeue.chain.ledger import (
    Ledger,
    Location,
    Pending,
    Submission,
    SubmitResult,
    branches,
    settlement,
)
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.workers.mining.miner import Miner
from tests.ledgers import make_transaction, mined_ids, read_chain, request_mine
from tests.peers import LedgerNode, meet, meet_and_die
from tests.separate_ledgers import make_separate_ledger

NODES = 5
_WHO = st.integers(0, NODES - 1)


class NetworkMachine(RuleBasedStateMachine):
    """The machine."""

    @initialize()
    def begin(self) -> None:
        # small steps, so that there are many between which something can happen
        self._patches = [patch.object(module, "_BATCH", 2) for module in (branches, settlement)]
        for each in self._patches:
            each.start()
        self.nodes: list[Ledger] = [make_separate_ledger() for _ in range(NODES)]
        self.accepted: list[list[Submission]] = [[] for _ in range(NODES)]
        self.works = [0] * NODES

    @rule(who=_WHO, count=st.integers(1, 3))
    def submit(self, who: int, count: int) -> None:
        self._accept(who, Submission([make_transaction() for _ in range(count)]))

    @rule(who=_WHO, data=st.data())
    def submit_what_another_node_accepted(self, who: int, data: st.DataObject) -> None:
        known = [submission for node in self.accepted for submission in node]
        if known:
            self._accept(who, data.draw(st.sampled_from(known)))

    def _accept(self, who: int, submission: Submission) -> None:
        assert self.nodes[who].mempool.submit([submission]) == [SubmitResult.ACCEPTED]
        self.accepted[who].append(submission)

    @rule(who=_WHO, blocks=st.integers(1, 3))
    def mine(self, who: int, blocks: int) -> None:
        for _ in range(blocks):
            request_mine(self.nodes[who])
        Miner(self.nodes[who], search_with_hashlib, f"node{who}").run()

    @rule(who=_WHO)
    def open_a_candidate(self, who: int) -> None:
        ledger = self.nodes[who]
        reading = ledger.queue.read()
        template = ledger.mining.build(reading, f"node{who}")
        if template:
            ledger.mining.open(reading, template)

    @rule(who=_WHO, whom=_WHO)
    def meet(self, who: int, whom: int) -> None:
        ours, theirs = self.nodes[who], self.nodes[whom]
        heavier = theirs.blocks.tip().cumulative_work > ours.blocks.tip().cumulative_work
        kept = ours.blocks.tip().header
        meet(ours, theirs)
        expected = theirs.blocks.tip().header if heavier else kept
        assert ours.blocks.tip().header == expected

    @rule(who=_WHO, whom=_WHO, data=st.data())
    def meet_while_ours_goes_on(self, who: int, whom: int, data: st.DataObject) -> None:
        ours = self.nodes[who]
        meet(ours, _Busy(self, who, self.nodes[whom], data))

    @rule(who=_WHO, whom=_WHO, steps=st.integers(0, 3))
    def meet_and_die_after_the_swap(self, who: int, whom: int, steps: int) -> None:
        meet_and_die(self.nodes[who], self.nodes[whom], steps)

    @rule(who=_WHO)
    def settle_a_step(self, who: int) -> None:
        self.nodes[who].settlement.step()

    @rule(who=_WHO)
    def read_all_that_waits(self, who: int) -> None:
        ledger = self.nodes[who]
        parts = list(ledger.waiting.read_transactions())
        assert sum(len(part.items) for part in parts) == ledger.queue.read().pending

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        for ledger, submissions in zip(self.nodes, self.accepted, strict=True):
            mined = list(mined_ids(ledger))
            pending = [entry[:32].hex() for entry in _pending(ledger)]
            assert len(set(mined + pending)) == len(mined) + len(pending)
            accepted = {t.id for submission in submissions for t in submission.transactions}
            assert accepted <= set(mined) | set(pending)
            reading = ledger.queue.read()
            assert reading.pending == len(pending)
            assert reading.is_unsettled or reading.pending_bytes == sum(map(len, _pending(ledger)))
            for own_id in accepted:
                place = ledger.blocks.locate_transaction(bytes.fromhex(own_id))
                assert isinstance(place, Location if own_id in set(mined) else Pending)

    @invariant()
    def work_only_grows(self) -> None:
        works = [ledger.blocks.tip().cumulative_work for ledger in self.nodes]
        assert all(now >= before for now, before in zip(works, self.works, strict=True))
        self.works = works

    def teardown(self) -> None:
        if not hasattr(self, "nodes"):
            return
        try:
            self._check_the_end()
        finally:
            for each in self._patches:
                each.stop()

    def _check_the_end(self) -> None:
        for ledger in self.nodes:
            auditor = Auditor(now_ms=2**42, minimum_bits=4, network="test")
            for block in read_chain(ledger):
                auditor.add(msgspec.json.decode(block.to_json()))
        self._mine_once_more()
        for ledger in self.nodes[1:]:
            meet(self.nodes[0], ledger)
        for ledger in self.nodes[1:]:
            meet(ledger, self.nodes[0])
        assert len({ledger.blocks.tip().header for ledger in self.nodes}) == 1
        self.nothing_is_lost_or_doubled()

    def _mine_once_more(self) -> None:
        """So that no two chains are as heavy as each other: the first of the heaviest goes on."""
        heaviest = max(self.nodes, key=lambda ledger: ledger.blocks.tip().cumulative_work)
        request_mine(heaviest)
        Miner(heaviest, search_with_hashlib, "last").run()


class _Busy(LedgerNode):
    """A peer that takes its time: whenever it is asked for a block, something happens to ours."""

    def __init__(
        self, machine: NetworkMachine, who: int, peer: Ledger, data: st.DataObject
    ) -> None:
        super().__init__(peer)
        self._machine = machine
        self._who = who
        self._data = data

    def block(self, header: Header) -> Block:
        block = super().block(header)
        happens = self._data.draw(st.sampled_from(["nothing", "submit", "mine", "both"]))
        *entries, _ = block.leaves or [b""]
        if happens in {"submit", "both"}:
            self._machine.submit(self._who, 2)
            for entry in entries:  # what the branch holds comes to us as well, only now
                fields = msgspec.json.decode(entry)
                transaction = make_transaction(fields["nonce"])
                assert transaction.id == fields["id"]
                self._machine._accept(self._who, Submission([transaction]))
        if happens in {"mine", "both"}:
            self._machine.mine(self._who, 1)
        return block


def _pending(ledger: Ledger) -> list[bytes]:
    """What waits, over all lists."""
    client: Any = ledger.redis.client
    keys = Keys("test")
    gone = client.smembers(keys.leaving)
    entries = [*client.lrange(keys.returned, 0, -1), *client.lrange(keys.pending, 0, -1)]
    return [entry for entry in entries if entry[:32] not in gone]
