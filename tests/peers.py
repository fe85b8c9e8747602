"""Nodes in this process, which meet each other's ledgers without a network between them."""

from chain.block import Block
from chain.header import Header
from chain.ledger import Ledger, Record
from workers.peers.meeting import Meeting
from workers.peers.node import PeerFaulty


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
