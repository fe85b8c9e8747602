"""A real server for tests and benchmarks: the embedded one, by itself."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from minequeue.chain.ledger.redis_url import write_socket
from minequeue.compose.config.embedded import (
    find_server,
    server_command,
    socket_path,
    wait_until_ready,
)


def url_of(directory: Path) -> str:
    """The URL of the server that keeps its data in ``directory``."""
    return write_socket(socket_path(directory))


@contextmanager
def run_server(directory: Path, *options: str, binary: Path | None = None) -> Iterator[str]:
    """Run a server as :func:`start_server` does; its URL. It is gone when this is left."""
    process = start_server(directory, *options, binary=binary)
    try:
        yield url_of(directory)
    finally:
        process.kill()
        process.wait()


def start_server(
    directory: Path, *options: str, log: IO[bytes] | None = None, binary: Path | None = None
) -> "subprocess.Popen[bytes]":
    """Start a server that keeps its data in ``directory``, and wait until it answers.

    Args:
        directory: is made where it is not there.
        options: what its command line says besides; of what stands twice the later counts.
        log: where it says what it does; else nowhere.
        binary: the executable; else the one that a stack takes.
    """
    socket = socket_path(directory)
    found = find_server(str(binary or os.environ.get("MINEQUEUE_SERVER_BINARY", "")))
    process = subprocess.Popen(
        [*server_command(found, directory, socket), *options],
        stdout=log or subprocess.DEVNULL,
        stderr=log,
    )
    wait_until_ready(socket, lambda: process.poll() is None)
    return process
