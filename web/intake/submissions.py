"""From the bytes of a request or message to the queue; whoever brings them."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import TypeAlias

from minequeue.chain.errors import (
    IdempotencyKeyReused,
    InvalidTransaction,
    MalformedJson,
    MinequeueError,
    QueueFull,
)
from minequeue.chain.ledger import Ledger, Submission, SubmitResult
from minequeue.chain.protocol import fast_transactions, strict_json
from minequeue.chain.protocol.strict_json import Json
from minequeue.chain.protocol.transaction import Transaction, accept_submission
from minequeue.web.intake.combiner import Combiner
from minequeue.web.intake.nonces import NonceSource
from minequeue.web.replies.problems import Problem, too_large

Outcomes: TypeAlias = Sequence[Transaction | MinequeueError]
_nonces = NonceSource()


class KnownByOldKey(MinequeueError):
    """The request came before with its key as it is kept where no token is shown."""


class Intake:
    """Reads transactions and puts them on the queue; safe for use by many threads.

    Args:
        ledger: the queue, and the network's rules.
        wake_miners: tells the workers that there may be work; returns at once, never raises.
        max_batch: the most entries of a batch.
    """

    def __init__(self, ledger: Ledger, wake_miners: Callable[[], None], *, max_batch: int) -> None:
        self._ledger = ledger
        self._combiner = Combiner(ledger.mempool.submit, most=max_batch)
        self.wake_miners = wake_miners
        self._max_batch = max_batch

    def read_json(self, body: bytes, make_nonce: Callable[[int], str]) -> Transaction | Outcomes:
        """The transaction that ``body`` is, or what became of each entry of the array that it is.

        Args:
            body: one JSON text.
            make_nonce: gives the nonce of the entry at a position, if it has none.

        Raises:
            MalformedJson, InvalidTransaction: it is no array, and no transaction either.
            Problem: the array is empty or too long.
        """
        signed = self._ledger.rules.signed
        plain = None if signed else self._read_plain(body, make_nonce)
        if plain:
            return plain
        value = strict_json.loads(body)
        if isinstance(value, list):
            return self._accept_each(value, make_nonce)
        return accept_submission(value, partial(make_nonce, 0), signed=signed)

    def read_lines(self, lines: Sequence[bytes], make_nonce: Callable[[int], str]) -> Outcomes:
        """As :meth:`read_json`, of a JSON text a line; what became of each.

        Raises:
            Problem: there are none or too many.
        """
        plain = None
        if not self._ledger.rules.signed:
            plain = fast_transactions.read_lines(lines, make_nonce, most=self._max_batch)
        return plain or self._accept_each([_read_line(line) for line in lines], make_nonce)

    def queue(self, submission: Submission) -> None:
        """Put ``submission`` on the queue and wake the miners.

        Raises:
            KnownByOldKey, IdempotencyKeyReused, QueueFull, LedgerUnavailable: nothing is known to
                be on it.
        """
        result = self._combiner.submit(submission)
        if result is SubmitResult.OLD_KEY:
            raise KnownByOldKey
        if result is SubmitResult.KEY_REUSED:
            raise IdempotencyKeyReused
        if result is SubmitResult.FULL:
            raise QueueFull
        self.wake_miners()

    def queue_together(self, submissions: Sequence[Submission]) -> list[SubmitResult]:
        """Put each of ``submissions`` on the queue if there is room for it, and wake the miners.

        Raises:
            LedgerUnavailable: nothing is known to be on it.
            QueueFull: the memory of Redis is used up; nothing is on it.
        """
        results = self._ledger.mempool.submit(submissions)
        if SubmitResult.ACCEPTED in results:
            self.wake_miners()
        return results

    def _read_plain(
        self, body: bytes, make_nonce: Callable[[int], str]
    ) -> Transaction | Sequence[Transaction] | None:
        return fast_transactions.read_one(body, make_nonce) or fast_transactions.read_array(
            body, make_nonce, most=self._max_batch
        )

    def _accept_each(
        self, entries: list[Json | MalformedJson], make_nonce: Callable[[int], str]
    ) -> Outcomes:
        """Make a transaction of each entry, or say why not; what could not be read is its error."""
        most = self._max_batch
        if len(entries) > most:
            raise too_large(f"A batch has at most {most} entries; this one has {len(entries)}.")
        if not entries:
            raise Problem(400, "empty-batch", "Empty batch", "Send at least one transaction.")
        signed = self._ledger.rules.signed
        return [
            _accept(entry, partial(make_nonce, position), signed=signed)
            for position, entry in enumerate(entries)
        ]


def make_nonces(key: str | None) -> Callable[[int], str]:
    """What gives a nonce to the entry at a position: with a key always the same one."""
    if key is None:
        return lambda _: _nonces.draw()
    return lambda position: sha256(f"{position}:{key}".encode()).hexdigest()[:32]


def _read_line(line: bytes) -> Json | MalformedJson:
    try:
        return strict_json.loads(line)
    except MalformedJson as error:
        return error


def _accept(
    entry: Json | MalformedJson, default_nonce: Callable[[], str], *, signed: bool
) -> Transaction | MinequeueError:
    if isinstance(entry, MalformedJson):
        return entry
    try:
        return accept_submission(entry, default_nonce, signed=signed)
    except InvalidTransaction as error:
        return error
