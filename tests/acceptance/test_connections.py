"""Connections that say nothing are closed, so that they keep nobody out for longer than that."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.http import TIMEOUT_S, post, request
from tests.stack import Stack, free_port
from tests.waiting import wait_for

PLAIN = {"sender": "alice", "recipient": "bob", "amount": 5}
IDLE_TIMEOUT_S = 4.0  # after which a silent connection is closed here
QUICK_S = 5
FILES = 256  # that a web process may open here
SILENT = 300  # connections; more than such a process holds


@contextmanager
def _second_web(stack: Stack) -> Iterator[str]:
    """A web tier of one process beside the stack's, with few files and little patience; its URL."""
    port = free_port()
    script = (
        "import os, resource; from minequeue.compose.stack.processes import run_web; "
        "from minequeue.compose.config.settings import Settings; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES} // 2, {FILES})); "
        f"run_web(Settings.from_environment(os.environ), idle_timeout_s={IDLE_TIMEOUT_S})"
    )
    settings = {"MINEQUEUE_PORT": str(port), "MINEQUEUE_DATA_DIR": str(stack.data_dir)}
    few = {"MINEQUEUE_WEB_PROCESSES": "1", "MINEQUEUE_WEB_THREADS": "8"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], env={**stack.environment, **settings, **few}
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: request("GET", f"{url}/health/ready").status == 200, "the start")
        yield url
    finally:
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0


def test_what_says_nothing_is_closed_and_whoever_comes_later_is_served(stack: Stack) -> None:
    with _second_web(stack) as url, ExitStack() as silent:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        began = time.monotonic()
        connections = [
            silent.enter_context(socket.create_connection(address, TIMEOUT_S))
            for _ in range(SILENT)
        ]
        assert post(url, PLAIN).status == 202  # a new connection, behind all
        assert IDLE_TIMEOUT_S - 1 < time.monotonic() - began < IDLE_TIMEOUT_S + QUICK_S
        assert connections[0].recv(1) == b""


def test_a_connection_is_kept_between_two_requests_and_then_closed(stack: Stack) -> None:
    with _second_web(stack) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(address, TIMEOUT_S) as connection:
            asked = b"HEAD /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
            for _ in range(2):
                connection.sendall(asked)
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            began = time.monotonic()
            assert connection.recv(1) == b""
            assert IDLE_TIMEOUT_S - 1 < time.monotonic() - began < IDLE_TIMEOUT_S + QUICK_S
