"""Samples of queue and chain, kept for some minutes, so that who begins to watch sees a past."""

from typing import Any

from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient


class Samples:
    """What was seen lately; all who take samples share them."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys

    def keep(self, number: int, sample: bytes, *, most: int, after: int) -> list[tuple[int, bytes]]:
        """Keep ``sample`` unless there is one of its number, and give what others kept meanwhile.

        Args:
            number: counts moments; the same for all who take a sample then.
            sample: anything.
            most: how many numbers back samples are kept.
            after: the last number that the caller has.

        Returns:
            Numbers and samples after that one, in order.

        Raises:
            LedgerUnavailable: the server is away.
        """
        found: list[Any] = self._redis.script(
            self._keys, "keep_sample", [number, sample, most, after]
        )
        return [(int(kept.partition(b" ")[0]), kept.partition(b" ")[2]) for kept in found]
