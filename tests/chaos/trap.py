"""What a proxy does to calls of scripts: it knows a script by the hash that its call carries."""

import re
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias

from minequeue.chain.ledger.scripts import read_scripts

Moment: TypeAlias = Literal["before", "midway", "after", "within"]

# a client sends the head of a call in one piece, and often several calls one after the other
_CALL = re.compile(rb"\*\d+\r\n\$7\r\nEVALSHA\r\n\$40\r\n([0-9a-f]{40})\r\n")
_NAMES = {script.sha: name for name, script in read_scripts().items()}


def find_scripts(sent: bytes) -> dict[str, int]:
    """The names of the scripts that ``sent`` calls, and where each call begins."""
    calls = _CALL.finditer(sent)
    return {
        _NAMES[digest]: call.start() for call in calls if (digest := call[1].decode()) in _NAMES
    }


class Trap:
    """Ends the connections of those that call a script, at one moment of the call.

    Args:
        scripts: which ones.
        moment: before the server gets the call; midway, once what was sent with it and before it
            ran; after the script ran, and without its reply; or within the reply.
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

    def closes_on(self, called: Iterable[str], moment: Moment) -> str | None:
        """Which of the scripts that are called together is to be caught at this moment, if any."""
        if moment != self.moment or self.is_done.is_set():
            return None
        for script in self.scripts.intersection(called):
            self._calls[script] += 1
            if self._calls[script] % self._every == 0:
                return script
        return None

    def catch(self, script: str) -> None:
        """Note that a call was caught."""
        self.caught[script] += 1
        if self.caught.total() >= self._most:
            self.is_done.set()
