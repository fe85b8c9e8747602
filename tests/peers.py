"""Nodes in this process, which meet each other's ledgers without a network between them."""

from contextlib import suppress
from unittest.mock import patch

from minequeue.chain.ledger import Ledger, Record, Settlement
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header
from minequeue.workers.peers.meeting import Meeting
from minequeue.workers.peers.node import PeerFaulty


class LedgerNode:
    """A peer that answers from its ledger, honestly."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.announced = 0
        self.asked: list[str] = []

    def tip(self) -> Record:
        self.asked.append("tip")
        return self.ledger.blocks.tip()

    def headers(self, first: int, limit: int) -> list[Header]:
        self.asked.append(f"{limit} headers from {first}")
        records = self.ledger.blocks.read_records(first, first + limit - 1)
        return [record.header for record in records]

    def block(self, header: Header) -> Block:
        self.asked.append(f"block {header.index}")
        index = self.ledger.blocks.find_index(header.hash)
        block = self.ledger.blocks.read_block(index) if index else None
        if block is None:
            raise PeerFaulty("It does not have the block of a header that it sent.")
        return block

    def announce(self) -> None:
        self.announced += 1


def meet(ours: Ledger, peer: LedgerNode | Ledger) -> str:
    """Let ``ours`` meet ``peer`` once."""
    node = LedgerNode(peer) if isinstance(peer, Ledger) else peer
    return Meeting(ours, node, lambda: None).run()


class _Died(Exception):
    """The process that adopted a branch is no more."""


def meet_and_die(ours: Ledger, peer: LedgerNode | Ledger, steps: int = 0) -> None:
    """Let ``ours`` meet ``peer``, and die so many steps after the swap of the chains."""
    ours.settlement.finish()
    real, left = Settlement.step, steps

    def step(settlement: Settlement) -> bool:
        nonlocal left
        if not ours.queue.read().is_unsettled:
            return False
        if not left:
            raise _Died
        left -= 1
        return real(settlement)

    with patch.object(Settlement, "step", step), suppress(_Died):
        meet(ours, peer)
