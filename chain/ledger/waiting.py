"""Reading all that waits, part by part, while it goes on moving: what a backup needs of the queue.

Each part comes with the tip at its moment. What left a list since an earlier part stands in the
blocks between the two tips, so whoever reads those as well misses nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.mempool import ENTRY_HEAD
from minequeue.chain.ledger.redis_client import RedisClient
from minequeue.chain.ledger.settlement import Settlement

_BATCH = 500  # entries of at most 17 KB
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
    """All that was accepted and is not in a block, read in constant memory.

    At the last part all is read that waited at the first; of what came since, some may be too. So
    it ends, however fast more comes, unless a reorganisation puts something before it.
    """

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys
        self._settlement = Settlement(redis_client, keys)

    def read_transactions(self) -> Iterator[Part]:
        """The pending transactions; there is at least one part, if only to tell the tip."""
        return self._read(self._keys.pending, slice(ENTRY_HEAD, None), counts_mined=True)

    def read_jobs(self) -> Iterator[Part]:
        """The waiting mine requests, likewise."""
        return self._read(self._keys.mine_requests, slice(_JOB_DIGITS), counts_mined=False)

    def _read(self, key: str, item: slice, *, counts_mined: bool) -> Iterator[Part]:
        """Read up to where the last entry is that waited when this began.

        Entries only move towards the head: by one for each that leaves before them. Of pending the
        counter tells how many left from the head, so the end comes nearer as they do; of mine
        requests a block takes one, and a part is far more.
        """
        last, at = b"", 0
        end: int | None = None
        while True:
            answer: Any = self._redis.script(
                self._keys, "read_waiting", [last, at, _BATCH], waiting=key
            )
            if answer == b"UNSETTLED":
                self._settlement.finish()
                continue
            tip, length, mined, first, entries = answer
            gone = mined if counts_mined else 0
            if end is None:
                end = length + gone  # in positions plus all that was ever gone
            yield Part(tip, bool(last) and not first, [entry[item] for entry in entries])
            at = first + len(entries) - 1
            if len(entries) < _BATCH or at + 1 + gone >= end:
                return
            last = entries[-1]
