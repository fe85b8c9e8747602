"""Who is at work: leases of miners, wake-ups under way to them, and heartbeats of workers.

A lease, a wake-up and a heartbeat all end by the server's clock, so a process that dies is
forgotten without anyone having to notice, and a worker whose own clock is wrong does no harm. Nor
does the server's clock where it is set back: see moment.py.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient

LEASE_MS = 5_000  # longer than it takes to build the largest block, or to search one range
WAKE_UP_MS = 2_000  # a wake-up that found no miner by then counts as lost, and is sent again
HEARTBEAT_MS = 5_000  # heartbeats come every second
_LEAVES = -1  # a size that no worker has


class Fleet:
    """The registry of miners and workers."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys

    @contextmanager
    def lease(self, worker: str = "") -> Iterator[str]:
        """Be counted as a miner of ``worker`` at work; gives its lease, which claims renew."""
        name = f"{worker}|{uuid.uuid4().hex}"
        self._redis.script(self._keys, "take_lease", [name, LEASE_MS])
        try:
            yield name
        finally:
            self._redis.run(lambda client: self._give_back(client, name))

    def note_wake_ups(self, wanted: int) -> int:
        """Note the wake-ups that ``wanted`` miners still need; give their number."""
        missing: int = self._redis.script(
            self._keys, "note_wake_ups", [wanted, WAKE_UP_MS, uuid.uuid4().hex, LEASE_MS]
        )
        return missing

    def send_heartbeat(self, worker: str, size: int, kernel: str) -> None:
        """Say that ``worker`` lives and can run ``size`` miners that search with ``kernel``."""
        self._redis.script(self._keys, "heartbeat", [worker, size, kernel, HEARTBEAT_MS])

    def leave(self, worker: str) -> None:
        """Say that ``worker`` ends."""
        self.send_heartbeat(worker, _LEAVES, "")

    def node_address(self, preferred: str | None) -> str:
        """The address that rewards go to: ``preferred``, else one that is drawn once and kept."""
        if preferred:
            return preferred
        drawn = uuid.uuid4().hex
        address: bytes = self._redis.script(self._keys, "name_node", [drawn])
        return address.decode()

    def _give_back(self, client: Any, name: str) -> None:
        with client.pipeline(transaction=False) as pipe:
            pipe.zrem(self._keys.miners, name)
            pipe.hdel(self._keys.rates, name)
            pipe.execute()
