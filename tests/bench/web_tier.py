"""Server and web tier as `minequeue up` runs them, without workers: pending only grows."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from minequeue.compose.config.embedded import socket_path
from tests.http import request
from tests.server import run_server
from tests.stack import free_port
from tests.waiting import wait_for

_STOP_S = 20


class WebTier:
    """A running web tier.

    Attributes:
        url: where it serves.
        client: of its server.
    """

    def __init__(self, url: str, socket: Path) -> None:
        self.url = url
        self.client = redis.Redis(unix_socket_path=str(socket))

    def count_pending(self) -> int:
        """How many transactions the queue holds."""
        answer = request("GET", f"{self.url}/queue")
        pending: int = answer.json()["pending_transactions"]
        return pending

    def forget_latency(self) -> None:
        """Begin to watch how long the server's commands take, from 1 ms upwards."""
        self.client.config_set("latency-monitor-threshold", 1)
        self.client.latency_reset()

    def longest_ms(self, event: str) -> int:
        """The longest ``event`` since then; 0 where none took a millisecond."""
        latest: list[list[Any]] = self.client.latency_latest()
        return max((row[3] for row in latest if row[0] == event.encode()), default=0)


@contextmanager
def serve_yardsticks() -> Iterator[WebTier]:
    """Serve the app of :mod:`tests.bench.yardsticks` on a new ledger; all is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="minequeue-bench-") as directory:
        data_dir, port = Path(directory), free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")}
        environment |= {
            "MINEQUEUE_DATA_DIR": str(data_dir),
            "MINEQUEUE_PORT": str(port),
            "MINEQUEUE_MAX_PENDING": f"{10**8},{2**40}",
        }
        web = [sys.executable, "-m", "tests.bench.yardsticks"]
        with run_server(data_dir), _running(web, environment) as process:
            tier = WebTier(f"http://127.0.0.1:{port}", socket_path(data_dir))
            wait_for(lambda: _is_ready(tier.url, process), "the start of the web tier")
            yield tier


def _is_ready(url: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "the web tier stopped before it was ready"
    try:
        return request("GET", f"{url}/health/ready").status == 200
    except OSError:
        return False


@contextmanager
def _running(
    command: list[str], environment: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
