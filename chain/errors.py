"""What can go wrong, as one small tree.

A class's docstring is a full sentence that says what to do; it is the default message.
"""


class MinequeueError(Exception):
    """Something went wrong in minequeue; the message says what to change."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class MalformedJson(MinequeueError):
    """The body cannot be read as JSON; send RFC 8259 JSON in UTF-8, with integers only."""


class InvalidTransaction(MinequeueError):
    """The transaction breaks a rule of the network; correct the named field and send it again.

    Attributes:
        field: the field at fault, or None where it is the transaction as a whole.
    """

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class SignatureRequired(InvalidTransaction):
    """This network accepts only signed transactions; sign it with `minequeue sign`."""


class InvalidBlock(MinequeueError):
    """The block breaks a rule of the network and is not part of any valid chain.

    Attributes:
        index: the block's own index, from 1.
    """

    def __init__(self, message: str, *, index: int) -> None:
        super().__init__(message)
        self.index = index


class BranchTooLarge(MinequeueError):
    """The branch replaces more blocks than a node accepts at once; it was rejected."""


class InvalidPeer(MinequeueError):
    """This is not an address of a node; give http://host:port."""


class ForbiddenPeer(MinequeueError):
    """This node may not call that host; ask its operator to add it to MINEQUEUE_PEER_ALLOW."""


class TooManyPeers(MinequeueError):
    """The list of nodes is full; remove some before you add others."""


class QueueFull(MinequeueError):
    """The queue is full; nothing was added."""


class IdempotencyKeyReused(MinequeueError):
    """The Idempotency-Key was used with another body; nothing was added."""


class LedgerUnavailable(MinequeueError):
    """The database is not responding; its own log may tell why."""


class LoginRefused(LedgerUnavailable):
    """The service cannot log in to its database; tell its operator and repeat this later."""


class UnsafeServer(LedgerUnavailable):
    """The database would lose what it acknowledges; the message says what to set."""


class UnusableLedger(LedgerUnavailable):
    """The database has a ledger that this part cannot use; the message says why."""


class LedgerLost(UnusableLedger):
    """The ledger has no genesis block and accepts nothing; restore the server's log or a backup."""


class NewerLedger(UnusableLedger):
    """A later version of minequeue made the ledger; use that version."""


class WrongRules(UnusableLedger):
    """The chain began with another MINEQUEUE_SIGNATURES; set it back, or begin a new chain."""


class WeakerRules(UnusableLedger):
    """This part's rules are weaker than the ledger's; set it to the ledger's."""


class WrongNetwork(UnusableLedger):
    """The ledger has the chain of another network; set its name, or another data directory."""


class RulesNotRaised(MinequeueError):
    """Somebody else has just changed the rules; look at them and raise them again."""
