"""What a supervisor tells people on its standard output, whoever takes it there.

Nothing may depend on that: the pipe may be closed, the disk full, the terminal gone, or stopped by
Ctrl-S, so that a write never ends.
"""

import os
import queue
import sys
import threading
from contextlib import suppress

_MAX_WAITING = 1000  # lines, while nobody takes them; what is past that is not told
_LAST_WORDS_S = 1.0  # how long the end waits for what is not told yet


class Announcer:
    """Tells lines, in order; inside a ``with`` a thread of its own writes them."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    def __enter__(self) -> "Announcer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(queue.Full):  # who does not read the lines does not wait for their end
            self._lines.put_nowait(None)
        self._thread.join(_LAST_WORDS_S)

    def __call__(self, line: str) -> None:
        """Tell one line; returns at once and never fails."""
        with suppress(queue.Full):
            self._lines.put_nowait(line)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            if sys.stdout is None:  # it was closed at the start
                continue
            # not through Python's buffer, which is written once more when the process ends
            with suppress(OSError):
                _write(sys.stdout.fileno(), os.fsencode(f"{line}\n"))


def _write(descriptor: int, left: bytes) -> None:
    while left:
        left = left[os.write(descriptor, left) :]
