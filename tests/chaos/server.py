"""A ledger's server that belongs to nobody but the harness, on a port of its own."""

import subprocess
from pathlib import Path

from compose.embedded import find_server, server_command, socket_path, wait_until_ready
from tests.stack import free_port


class Server:
    """One server; what it accepted survives its death."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "Server":
        """Start it, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        socket = socket_path(self.directory)
        # of an option that is given twice the later counts
        command = [
            *server_command(find_server(""), self.directory, socket),
            *("--port", str(self.port), "--bind", "127.0.0.1"),
        ]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self._process = process
        wait_until_ready(socket, lambda: process.poll() is None)
        return self

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def newest_log(self) -> Path:
        """The part of the append-only file that it writes at present."""
        parts = (self.directory / "ledger" / "appendonlydir").glob("*.incr.aof")
        return max(parts, key=lambda part: int(part.name.split(".")[-3]))
