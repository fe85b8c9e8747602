"""What can go wrong, as one small tree.

A class's docstring is a full sentence that says what to do; it is the default message.
"""


class MinequeueError(Exception):
    """Something went wrong in minequeue; the message says what to change."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class MalformedJson(MinequeueError):
    """The body is not acceptable JSON; send RFC 8259 JSON in UTF-8 with integers only."""


class InvalidTransaction(MinequeueError):
    """The transaction breaks a rule of the network; correct the named field and send it again.

    Attributes:
        field: the field at fault, or None where it is the transaction as a whole.
    """

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class SignatureRequired(InvalidTransaction):
    """This network takes signed transactions alone; sign it with `minequeue sign`."""


class InvalidBlock(MinequeueError):
    """The block breaks a rule of the network and is not part of any valid chain.

    Attributes:
        index: the block's own index, from 1.
    """

    def __init__(self, message: str, *, index: int) -> None:
        super().__init__(message)
        self.index = index


class BranchTooLarge(MinequeueError):
    """The branch replaces more than a node takes over at once; it was not taken over."""


class InvalidPeer(MinequeueError):
    """The address of a node cannot be used; give http://host:port."""


class ForbiddenPeer(MinequeueError):
    """This node may not call that host; its operator can add it to MINEQUEUE_PEER_ALLOW."""


class TooManyPeers(MinequeueError):
    """A node keeps no more peers than this; remove some before you add others."""


class QueueFull(MinequeueError):
    """The queue holds as much as the operator allows; send the same request again later."""


class IdempotencyKeyReused(MinequeueError):
    """This Idempotency-Key came with another body before; take a new key for a new request."""


class LedgerUnavailable(MinequeueError):
    """The ledger's server does not answer; nothing is known to be accepted, so send it again."""


class LoginRefused(LedgerUnavailable):
    """The service cannot log in to its database; tell its operator, and send the same later."""


class UnsafeServer(LedgerUnavailable):
    """The server would lose what it acknowledges; the message says what to set."""


class UnusableLedger(LedgerUnavailable):
    """The server answers, and its ledger is not one for this part; the message says why."""


class LedgerLost(UnusableLedger):
    """The ledger has no genesis block and takes nothing: restore the server's log or a backup."""


class NewerLedger(UnusableLedger):
    """A later version of minequeue made the ledger; use that version."""


class WrongRules(UnusableLedger):
    """The chain was begun with another MINEQUEUE_SIGNATURES; set it back, or begin a new chain."""


class WeakerRules(UnusableLedger):
    """This part's rules are weaker than the ledger's; set it to the ledger's."""


class WrongNetwork(UnusableLedger):
    """The ledger holds the chain of another network; choose its name or another data directory."""


class RulesNotRaised(MinequeueError):
    """The rules were changed by somebody else meanwhile; look at them and raise them again."""
