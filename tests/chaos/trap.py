"""What a proxy does to calls of scripts: it knows a script by the hash that its call carries."""

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias

from chain.ledger.connection import read_scripts

Moment: TypeAlias = Literal["before", "after", "within"]

# a client sends the head of a call in one piece
_CALL = re.compile(rb"\*\d+\r\n\$7\r\nEVALSHA\r\n\$40\r\n([0-9a-f]{40})\r\n")
_NAMES = {
    hashlib.sha1(source.encode()).hexdigest(): name for name, source in read_scripts().items()
}


def find_script(sent: bytes) -> str | None:
    """The name of the script that ``sent`` begins to call."""
    called = _CALL.match(sent)
    return _NAMES.get(called[1].decode()) if called else None


class Trap:
    """Ends the connections of those that call a script, at one moment of the call.

    Args:
        scripts: which ones.
        moment: before the server gets the call; after the script ran, and without its reply; or
            within the reply.
        kill: kill the process that calls, instead of only cutting it off.
        most: after so many it is harmless.
        every: it closes on one call in so many, so that a repetition passes.
    """

    def __init__(
        self,
        scripts: Iterable[str],
        moment: Moment,
        *,
        kill: bool = False,
        most: int = 1,
        every: int = 1,
    ) -> None:
        self.scripts = frozenset(scripts)
        self.moment = moment
        self.kill = kill
        self.caught: Counter[str] = Counter()
        self.is_done = threading.Event()
        self._most = most
        self._every = every
        self._calls: Counter[str] = Counter()

    def closes_on(self, script: str, moment: Moment) -> bool:
        """Tell whether this call, at this moment of it, is one to be caught."""
        if moment != self.moment or script not in self.scripts or self.is_done.is_set():
            return False
        self._calls[script] += 1
        return self._calls[script] % self._every == 0

    def catch(self, script: str) -> None:
        """Note that a call was caught."""
        self.caught[script] += 1
        if self.caught.total() >= self._most:
            self.is_done.set()
