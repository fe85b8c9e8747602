"""A real server for tests and benchmarks: the embedded one, by itself."""

import os
import subprocess
from pathlib import Path

from compose.embedded import find_server, server_command, wait_until_ready


def start_server(directory: Path) -> "subprocess.Popen[bytes]":
    """Start an embedded server that keeps its data in ``directory``, and wait until it answers."""
    socket = directory / "valkey.sock"
    process = subprocess.Popen(
        server_command(
            find_server(os.environ.get("MINEQUEUE_SERVER_BINARY", "")), directory, socket
        ),
        stdout=subprocess.DEVNULL,
    )
    wait_until_ready(socket, lambda: process.poll() is None)
    return process
