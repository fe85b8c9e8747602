"""Requests that are followed from their answer to the block that holds the last of what they asked.

Most are not: the id of a transaction, or the job of a mine request, leads from answer to block
by itself. A client that names its request, or traces it, has its own name told by who mines it.
"""

from collections.abc import Sequence

import msgspec

from minequeue.chain.ledger.connection import Connection
from minequeue.chain.ledger.keys import Keys

MOST = 10_000  # requests at once
_LONG_MS = 86_400_000  # each; what was mined elsewhere is forgotten by then
_AT_ONCE = 1000


class Trail(msgspec.Struct, frozen=True):
    """What is told of a request when it is mined.

    Attributes:
        request_id: as the answer named it.
        traceparent: of its span (W3C Trace Context), or "".
        since_ms: when it came, Unix milliseconds.
        entries: how many transactions it brought; 0 for a mine request.
    """

    request_id: str
    traceparent: str
    since_ms: int
    entries: int


class Following:
    """The requests that are followed."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    def follow(self, name: bytes, trail: Trail) -> bool | None:
        """Follow a request; called before anything of it is on the queue, so no miner is faster.

        Args:
            name: its last transaction's id, 32 bytes, or its job.
            trail: what is told when that is mined.

        Returns:
            True where it is followed by this call; None where it repeats what is followed or mined
            already; False where as many are followed as may be.

        Raises:
            LedgerUnavailable, QueueFull: it may be followed or not.
        """
        answer: bytes = self._connection.script(
            self._keys,
            "follow",
            [name, msgspec.json.encode(trail), MOST, _LONG_MS],
        )
        return None if answer == b"KNOWN" else answer == b"FOLLOWED"

    def end(self, names: Sequence[bytes]) -> list[Trail]:
        """End following those of ``names`` that are followed, and give their trails.

        Raises:
            LedgerUnavailable: they may be followed until a day has passed.
        """
        found: list[bytes] = []
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            found += self._connection.script(self._keys, "unfollow", some)
        return [msgspec.json.decode(raw, type=Trail) for raw in found]
