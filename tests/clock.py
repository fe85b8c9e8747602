"""A server whose clock is set while it runs, by libfaketime; no other process's clock moves."""

import shlex
from pathlib import Path

from minequeue.compose.config.embedded import find_server

_PLACES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime")


def find_faketime() -> Path | None:
    """The library of Debian's package faketime; None where it is not installed."""
    paths = (Path(place) / "libfaketime.so.1" for place in _PLACES)
    return next((path for path in paths if path.exists()), None)


class ServerClock:
    """The clock of all servers that are started by its executable.

    Args:
        directory: is there; the executable and the clock's own file are written to it.

    Attributes:
        binary: the executable. It stands for a server in MINEQUEUE_SERVER_BINARY, and as an
            argument of :func:`tests.server.start_server`.
    """

    def __init__(self, directory: Path) -> None:
        library = find_faketime()
        assert library, "libfaketime is not installed (Debian: faketime)"
        self._file = directory.absolute() / "clock"
        self.set(0)
        self.binary = directory.absolute() / "server-with-a-clock"
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # a change counts at once
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        # the installed one: Debian's redis-server does not start under libfaketime
        server = find_server("")
        words = ("exec", "env", *(f"{k}={v}" for k, v in environment.items()), server)
        self.binary.write_text(f'#!/bin/sh\n{shlex.join(words)} "$@"\n')
        self.binary.chmod(0o700)

    def set(self, ahead_s: int) -> None:
        """Set it to so many seconds ahead of the true time, negative for behind.

        Commands see it within a turn of the server's loop.
        """
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n")
        new.replace(self._file)  # whoever reads it sees the old or the new one
