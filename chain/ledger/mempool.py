"""Accepting work: transactions and mine requests go on their lists, at most once each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from chain.ledger.connection import Argument, Connection
from chain.ledger.keys import Keys
from chain.rules import Bounds
from chain.transaction import Transaction

ENTRY_HEAD = 45  # bytes before the transaction in an entry of pending: 32 of id, 13 of time


class Verdict(Enum):
    """What became of a request."""

    ACCEPTED = b"ACCEPTED"
    FULL = b"FULL"
    KEY_REUSED = b"KEY_REUSED"


@dataclass(frozen=True, slots=True)
class Submission:
    """The transactions of one request: all are accepted or none.

    Attributes:
        transactions: in the order in which they should be mined.
        idempotency_key: what the client named the request, or None.
    """

    transactions: Sequence[Transaction]
    idempotency_key: str | None = None

    def as_arguments(self) -> list[Argument]:
        """Lay the request out as submit.lua reads it."""
        ids = [bytes.fromhex(transaction.id) for transaction in self.transactions]
        named = self.idempotency_key is not None
        return [
            sha256((self.idempotency_key or "").encode()).digest() if named else b"",
            # the ids are hashes of all that the client said, so they are the fingerprint
            sha256(b"".join(ids)).digest() if named else b"",
            len(ids),
            *ids,
            *(transaction.canonical for transaction in self.transactions),
        ]


class Mempool:
    """The entrance of the queue."""

    def __init__(self, connection: Connection, keys: Keys, bounds: Bounds) -> None:
        self._connection = connection
        self._keys = keys
        self._bounds = bounds

    def submit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """Accept what fits, each submission on its own, in one call of the server.

        When this returns, what was accepted is on the server's disk.

        Raises:
            LedgerUnavailable: no answer came; each may or may not have been accepted.
            QueueFull: the server's memory is used up.
        """
        keys = self._keys
        arguments: list[Argument] = [self._bounds.pending, self._bounds.pending_bytes]
        for submission in submissions:
            arguments += submission.as_arguments()
        answers: list[bytes] = self._connection.script(
            "submit",
            [keys.pending, keys.transactions, keys.idempotency, keys.counters],
            arguments,
        )
        return [Verdict(answer) for answer in answers]

    def request_mine(self, job: str) -> Verdict:
        """Queue the mine request named ``job`` (32 hex digits), once however often it is called.

        Raises:
            LedgerUnavailable: no answer came.
            QueueFull: the server's memory is used up.
        """
        answer: bytes = self._connection.script(
            "request_mine",
            [self._keys.mine_requests, self._keys.jobs],
            [self._bounds.pending, job],
        )
        return Verdict(answer)
