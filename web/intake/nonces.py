"""Nonces for transactions that come without one: no two are alike, and none can be foreseen."""

import os
from hashlib import blake2b
from itertools import count


class NonceSource:
    """Draws nonces, by any number of threads.

    The system's randomness is asked once and not for each: asking lets another thread take over in
    the middle of a request, which costs more than the request's own work.
    """

    def __init__(self) -> None:
        self._reseed()
        # two processes with one key would give equal nonces to equal payments, and one be lost
        os.register_at_fork(after_in_child=self._reseed)

    def _reseed(self) -> None:
        self._key = os.urandom(32)
        self._numbers = count()

    def draw(self) -> str:
        """32 hex digits."""
        number = b"%d" % next(self._numbers)
        return blake2b(number, key=self._key, digest_size=16).hexdigest()
