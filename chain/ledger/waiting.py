"""Reading all that waits, part by part, while it goes on moving: what a backup needs of the queue.

Each part comes with the tip at its moment. What left a list since an earlier part stands in the
blocks between the two tips, so whoever reads those as well misses nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chain.ledger.connection import Connection
from chain.ledger.keys import Keys
from chain.ledger.mempool import ENTRY_HEAD

_AT_ONCE = 500  # entries of at most 17 KB
_JOB_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Part:
    """Some of what waits, in order.

    Attributes:
        tip: the hash of the tip when it was read, 32 bytes.
        is_anew: whether it begins at the head again, because the part before has left the list.
        items: transactions in canonical form, or jobs of 32 hex digits.
    """

    tip: bytes
    is_anew: bool
    items: Sequence[bytes]


class Waiting:
    """All that was accepted and is not in a block, read in constant memory."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    def read_transactions(self) -> Iterator[Part]:
        """The pending transactions; the last part reaches the end of the list at its moment."""
        return self._read(self._keys.pending, slice(ENTRY_HEAD, None))

    def read_jobs(self) -> Iterator[Part]:
        """The waiting mine requests, likewise."""
        return self._read(self._keys.mine_requests, slice(_JOB_DIGITS))

    def _read(self, key: str, item: slice) -> Iterator[Part]:
        last, at = b"", 0
        while True:
            answer: Any = self._connection.script(
                "read_waiting", [self._keys.tip, key], [last, at, _AT_ONCE]
            )
            tip, first, entries = answer
            yield Part(tip, bool(last) and not first, [entry[item] for entry in entries])
            if len(entries) < _AT_ONCE:
                return
            last, at = entries[-1], first + len(entries) - 1
