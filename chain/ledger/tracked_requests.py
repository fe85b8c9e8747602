"""Requests that are tracked from their answer to the block that holds the last of what they asked.

Most are not: the id of a transaction, or the job of a mine request, leads from answer to block
by itself. A client that names its request, or traces it, has its own name told by who mines it.
"""

from collections.abc import Sequence

import msgspec

from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient

MAX_REQUESTS = 10_000  # requests at once
_EXPIRY_MS = 86_400_000  # each; what was mined elsewhere is forgotten by then
_BATCH = 1000


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


class TrackedRequests:
    """The requests that are tracked."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys

    def track(self, name: bytes, trail: Trail) -> bool | None:
        """Track a request; called before anything of it is on the queue, so no miner is faster.

        Args:
            name: its last transaction's id, 32 bytes, or its job.
            trail: what is told when that is mined.

        Returns:
            True where it is tracked by this call; None where it repeats what is tracked or mined
            already; False where as many are tracked as may be.

        Raises:
            LedgerUnavailable, QueueFull: it may be tracked or not.
        """
        answer: bytes = self._redis.script(
            self._keys,
            "track",
            [name, msgspec.json.encode(trail), MAX_REQUESTS, _EXPIRY_MS],
        )
        return None if answer == b"KNOWN" else answer == b"TRACKED"

    def end(self, names: Sequence[bytes]) -> list[Trail]:
        """End tracking those of ``names`` that are tracked, and give their trails.

        Raises:
            LedgerUnavailable: they may be tracked until a day has passed.
        """
        found: list[bytes] = []
        for start in range(0, len(names), _BATCH):
            some = names[start : start + _BATCH]
            found += self._redis.script(self._keys, "untrack", some)
        return [msgspec.json.decode(raw, type=Trail) for raw in found]
