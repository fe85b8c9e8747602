"""What a reorganisation left to do, in steps that each keep the server for a few milliseconds."""

from minequeue.chain.ledger.connection import Connection
from minequeue.chain.ledger.keys import Keys

_AT_ONCE = 1000  # transactions in one step


class Settlement:
    """Settles the last branch that was adopted; whoever needs it settled goes on with it."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._cursor = "0"  # any is right: what a step misses is found from the beginning

    def step(self) -> bool:
        """Do one step; tell whether more is left.

        Raises:
            LedgerUnavailable: the server does not answer; the step was done or not.
        """
        answer: bytes = self._connection.script(self._keys, "settle", [self._cursor, _AT_ONCE])
        self._cursor = answer.decode() or "0"
        return bool(answer)

    def finish(self) -> None:
        """Do all that is left."""
        while self.step():
            pass
