"""Limits a second, exact over all processes, because the server counts."""

from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient


class RateLimits:
    """Counts what was taken of limits."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys

    def charge(self, name: str, limits: tuple[int, int], counts: tuple[int, int]) -> float:
        """Count requests and entries of whoever is called ``name``.

        Args:
            name: of a token.
            limits: requests and entries a second, 0 for no limit.
            counts: how many of each.

        Returns:
            0 where they were counted; else in how many seconds there is room.
        """
        wait_ms: int = self._redis.script(
            self._keys, "charge", [*limits, *counts], bucket=self._keys.bucket(name)
        )
        return wait_ms / 1000
