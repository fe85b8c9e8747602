"""A peer as the resolver sees it: typed answers, and errors that say whose fault it is."""

from typing import ClassVar, Protocol

from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger import Record
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header


class PeerError(MinequeueError):
    """The peer cannot be used; the message says why.

    Attributes:
        state: of a peer whose last meeting ended with it.
    """

    state: ClassVar[str] = "faulty"


class PeerAway(PeerError):
    """The peer does not answer."""

    state = "away"


class PeerNotAllowed(PeerError):
    """Its name leads to no address that is on the allow-list."""

    state = "not allowed"


class PeerFaulty(PeerError):
    """The peer's answer breaks a rule."""


class Node(Protocol):
    """Another node of the network.

    Each method raises :class:`PeerError`.
    """

    def tip(self) -> Record:
        """Its last block's header, and the work that it claims for its chain."""

    def headers(self, first: int, limit: int) -> list[Header]:
        """Its headers from ``first`` on, at most ``limit`` of them."""

    def block(self, header: Header) -> Block:
        """The block of this header, its body as it was sent."""

    def announce(self) -> None:
        """Tell it that there is something to resolve."""
