"""Limits a second, exact over all processes, because the server counts."""

from minequeue.chain.ledger.connection import Connection
from minequeue.chain.ledger.keys import Keys


class Gates:
    """Counts what was taken of limits."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
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
        wait_ms: int = self._connection.script(
            self._keys, "charge", [*limits, *counts], bucket=self._keys.bucket(name)
        )
        return wait_ms / 1000
