"""Accepting work: transactions and mine requests go on their lists, at most once each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from minequeue.chain.errors import LedgerUnavailable, QueueFull
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import Argument, RedisClient
from minequeue.chain.protocol.rules import Bounds
from minequeue.chain.protocol.transaction import Transaction

ENTRY_HEAD = 45  # bytes before the transaction in an entry of pending: 32 of id, 13 of time
_BATCH = 1000  # transactions in one call, a few ms of the server; submit.lua takes no more
_NO_BOUNDS = Bounds(pending=2**53, pending_bytes=2**53)


class SubmitResult(Enum):
    """What became of a request."""

    ACCEPTED = b"ACCEPTED"
    FULL = b"FULL"
    KEY_REUSED = b"KEY_REUSED"
    OLD_KEY = b"OLD_KEY"


@dataclass(frozen=True, slots=True)
class Submission:
    """The transactions of one request: all are accepted or none.

    Attributes:
        transactions: in the order in which they should be mined.
        idempotency_key: what the client named the request, or None. It is known for a day at least
            and two at most; ids of transactions are known for ever.
        old_key: another name that the request may have come with before, or None: where that one
            is known and the first is not, the answer is OLD_KEY, and nothing is accepted.
        known: filled while it is accepted: how many transactions each call found that the ledger
            had already, where it found any. A repetition after a lost reply finds its own.
    """

    transactions: Sequence[Transaction]
    idempotency_key: str | None = None
    old_key: str | None = None
    known: list[int] = field(default_factory=list, compare=False, repr=False)

    @property
    def size(self) -> int:
        """The bytes that it takes in the queue where nothing of it is known yet."""
        return sum(ENTRY_HEAD + len(transaction.canonical) for transaction in self.transactions)

    @property
    def rest(self) -> "Submission":
        """What the first call does not take of it."""
        return Submission(self.transactions[_BATCH:], known=self.known)

    def as_arguments(self) -> list[Argument]:
        """Lay the request out as submit.lua reads it, as much as one call takes of it."""
        taken = self.transactions[:_BATCH]
        return [
            *self._name(),
            len(taken),
            *(bytes.fromhex(transaction.id) for transaction in taken),
            *(transaction.canonical for transaction in taken),
        ]

    def _name(self) -> tuple[bytes, bytes, bytes]:
        """The digests of its keys, and the fingerprint of its content where it has any."""
        if self.idempotency_key is None:
            return b"", b"", b""
        # the ids are hashes of all that the client said
        content = b"".join(bytes.fromhex(transaction.id) for transaction in self.transactions)
        old = b"" if self.old_key is None else sha256(self.old_key.encode()).digest()
        return sha256(self.idempotency_key.encode()).digest(), old, sha256(content).digest()


class Mempool:
    """The entrance of the queue."""

    def __init__(self, redis_client: RedisClient, keys: Keys, bounds: Bounds) -> None:
        self._redis = redis_client
        self._keys = keys
        self._bounds = bounds

    def submit(self, submissions: Sequence[Submission]) -> list[SubmitResult]:
        """Accept what fits, each submission on its own; small ones share a call of the server.

        When this returns, what was accepted is on the server's disk. A submission for more than one
        call is judged by the first, by the room that all of it takes: what others add before its
        last call may carry the queue past the bound by no more than is under way.

        Raises:
            LedgerUnavailable: no answer came; of each all, some or none may have been accepted.
            QueueFull: the server's memory is used up.
        """
        results: list[SubmitResult] = []
        try:
            for together in _group(submissions):
                rest = together[-1].rest  # there is one only where it is alone
                results += self._call(
                    together,
                    Bounds(
                        pending=self._bounds.pending - len(rest.transactions),
                        pending_bytes=self._bounds.pending_bytes - rest.size,
                    ),
                )
                if results[-1] is SubmitResult.ACCEPTED:
                    self._add(rest)
        except QueueFull as error:
            if SubmitResult.ACCEPTED in results:
                # a part is in already, so the answer may not be that nothing is
                raise LedgerUnavailable from error
            raise
        return results

    def _add(self, rest: Submission) -> None:
        while rest.transactions:
            self._call([rest], _NO_BOUNDS)
            rest = rest.rest

    def _call(self, submissions: Sequence[Submission], bounds: Bounds) -> list[SubmitResult]:
        arguments: list[Argument] = [bounds.pending, bounds.pending_bytes]
        for submission in submissions:
            arguments += submission.as_arguments()
        answers: list[bytes] = self._redis.script(self._keys, "submit", arguments)
        return [_read(*both) for both in zip(submissions, answers, strict=True)]

    def request_mine(self, job: str, old_job: str = "") -> SubmitResult:
        """Queue the mine request named ``job`` (32 hex digits), once however often it is called.

        Args:
            job: its name.
            old_job: another name that the request may have come with before: where that one waits
                or was served in the last two days, the answer is OLD_KEY, and nothing is queued.

        Raises:
            LedgerUnavailable: no answer came.
            QueueFull: the server's memory is used up.
        """
        answer: bytes = self._redis.script(
            self._keys, "request_mine", [self._bounds.pending, job, old_job]
        )
        return SubmitResult(answer)


def _read(submission: Submission, answer: bytes) -> SubmitResult:
    word, _, known = answer.partition(b" ")
    if known:
        submission.known.append(int(known))
    return SubmitResult(word)


def _group(submissions: Sequence[Submission]) -> Iterator[list[Submission]]:
    """Those that go in one call, in order; one that is too large for a call is alone."""
    together: list[Submission] = []
    count = 0
    for submission in submissions:
        if together and count + len(submission.transactions) > _BATCH:
            yield together
            together, count = [], 0
        together.append(submission)
        count += len(submission.transactions)
    if together:
        yield together
