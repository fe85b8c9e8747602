"""Who is at work: leases of miners, bells that were rung for them, and beats of workers.

A lease, a bell and a beat all end by the server's clock, so a process that dies is forgotten
without anyone having to notice, and a worker whose own clock is wrong does no harm. Nor does the
server's clock where it is set back: see moment.py.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minequeue.chain.ledger.connection import Connection
from minequeue.chain.ledger.keys import Keys

LEASE_MS = 5_000  # longer than it takes to build the largest block, or to search one range
BELL_MS = 2_000  # a wake-up that found no miner by then counts as lost, and is sent again
BEAT_MS = 5_000  # beats come every second
_LEAVES = -1  # a size that no worker has


class Fleet:
    """The registry of miners and workers."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    @contextmanager
    def lease(self, worker: str = "") -> Iterator[str]:
        """Be counted as a miner of ``worker`` at work; gives its lease, which claims renew."""
        name = f"{worker}|{uuid.uuid4().hex}"
        self._connection.script(self._keys, "take_lease", [name, LEASE_MS])
        try:
            yield name
        finally:
            self._connection.run(lambda client: self._give_back(client, name))

    def ring(self, wanted: int) -> int:
        """Note the bells that are missing until ``wanted`` miners work; tell how many to ring."""
        missing: int = self._connection.script(
            self._keys, "ring_bells", [wanted, BELL_MS, uuid.uuid4().hex, LEASE_MS]
        )
        return missing

    def beat(self, worker: str, size: int, kernel: str) -> None:
        """Say that ``worker`` lives and can run ``size`` miners that search with ``kernel``."""
        self._connection.script(self._keys, "beat", [worker, size, kernel, BEAT_MS])

    def leave(self, worker: str) -> None:
        """Say that ``worker`` ends."""
        self.beat(worker, _LEAVES, "")

    def node_address(self, preferred: str | None) -> str:
        """The address that rewards go to: ``preferred``, else one that is drawn once and kept."""
        if preferred:
            return preferred
        drawn = uuid.uuid4().hex
        address: bytes = self._connection.script(self._keys, "name_node", [drawn])
        return address.decode()

    def _give_back(self, client: Any, name: str) -> None:
        with client.pipeline(transaction=False) as pipe:
            pipe.zrem(self._keys.miners, name)
            pipe.hdel(self._keys.rates, name)
            pipe.execute()
