"""A ledger's server that belongs to nobody but the harness, on a port of its own."""

import subprocess
from pathlib import Path

from tests.clock import ServerClock, find_faketime
from tests.server import start_server
from tests.stack import free_port


class Server:
    """One server; what it accepted survives its death.

    Attributes:
        clock: sets its clock; None where that cannot be.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.log = directory / "server.log"
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = ServerClock(directory) if find_faketime() else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "Server":
        """Start it, and wait until it answers."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1")
        with self.log.open("ab") as log:
            self._process = start_server(
                self.directory, *options, log=log, binary=self.clock.binary if self.clock else None
            )
        return self

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def newest_log(self) -> Path:
        """The part of the append-only file that it writes at present."""
        parts = (self.directory / "ledger" / "appendonlydir").glob("*.incr.aof")
        return max(parts, key=lambda part: int(part.name.split(".")[-3]))
