"""What a reorganisation left to do, in steps that each keep the server for a few milliseconds."""

from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient

_BATCH = 1000  # transactions in one step


class Settlement:
    """Settles the last branch that was adopted; whoever needs it settled goes on with it."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys
        self._cursor = "0"  # any is right: what a step misses is found from the beginning

    def step(self) -> bool:
        """Do one step; tell whether more is left.

        Raises:
            LedgerUnavailable: the server does not answer; the step was done or not.
        """
        answer: bytes = self._redis.script(self._keys, "settle", [self._cursor, _BATCH])
        self._cursor = answer.decode() or "0"
        return bool(answer)

    def finish(self) -> None:
        """Do all that is left."""
        while self.step():
            pass
