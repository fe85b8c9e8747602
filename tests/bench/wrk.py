"""Load by wrk, and what it found."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from minequeue.chain.errors import MinequeueError

CONNECTIONS = 64
POST_SCRIPT = Path(__file__).with_name("post.lua")
LINES_SCRIPT = Path(__file__).with_name("post_lines.lua")
_TO_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk found.

    Attributes:
        answered: requests.
        rate: requests a second.
        p99_ms: what 99 of 100 answers took at most.
    """

    answered: int
    rate: float
    p99_ms: float


def run_wrk(url: str, seconds: int, body: str | Path | None = None) -> Load:
    """Send GET requests, or POST requests with ``body`` as JSON, over 64 connections.

    Where ``body`` is a file, each request has the next of its lines.

    Raises:
        MinequeueError: wrk is not installed, or an answer was no success.
    """
    program = shutil.which("wrk")
    if program is None:
        raise MinequeueError(
            "The load comes from wrk; install it (Debian: apt install wrk) and run this again."
        )
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout=10s"]
    if body is not None:
        command += ["-s", str(LINES_SCRIPT if isinstance(body, Path) else POST_SCRIPT)]
    command += [url, *([] if body is None else ["--", str(body)])]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise MinequeueError(f"The load on {url} met errors:\n{said}")
    answered = re.search(r"(\d+) requests in", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said)
    if answered is None or rate is None or p99 is None:
        raise MinequeueError(f"wrk said something unexpected:\n{said}")
    return Load(int(answered[1]), float(rate[1]), float(p99[1]) * _TO_MS[p99[2]])
