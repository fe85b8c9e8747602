"""A whole stack as a user starts it: `minequeue up`, in a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.http import Answer, request
from tests.waiting import wait_for

START_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Stack:
    """One stack; its settings are small, so that blocks come quickly."""

    command: tuple[str, ...] = (sys.executable, "-m", "minequeue")
    directory: Path | None = None  # where it is called; else here

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.flower_url = f"http://127.0.0.1:{free_port()}"
        self.output = data_dir.parent / f"{data_dir.name}.out"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")},
            # nobody is there; what calls a node has to go to it by itself
            "http_proxy": "http://127.0.0.1:9",
            # what commands remember of what they sent
            "XDG_STATE_HOME": str(data_dir.parent / f"{data_dir.name}.state"),
            "MINEQUEUE_BITS": "12",
            "MINEQUEUE_BLOCK_INTERVAL": "0.5",
            "MINEQUEUE_FLOWER_PORT": self.flower_url.rpartition(":")[2],
            **{f"MINEQUEUE_{name.upper()}": value for name, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self, data_dir: Path | None = None) -> "subprocess.Popen[bytes]":
        """Start `minequeue up` without waiting for it; by another path of the directory."""
        options = ["--port", str(self.port), "--data-dir", str(data_dir or self.data_dir)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*self.command, "up", *options],
                cwd=self.directory,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process

    def start(self, data_dir: Path | None = None) -> "Stack":
        """Start it and wait until it says that it is ready; see :meth:`spawn`."""
        process = self.spawn(data_dir)
        wait_for(
            lambda: "minequeue is ready" in self.said() or process.poll() is not None,
            "the start",
            START_S,
        )
        assert process.poll() is None, self.said()
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(60)

    def kill(self) -> None:
        """Kill the supervisor alone; its parts live on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """All that runs for this stack but its supervisor."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("MINEQUEUE_STACK") == str(self.data_dir):
                    found.append(process)
            except psutil.Error:
                continue  # ended meanwhile, or somebody else's
        return found

    def processes_of(self, word: str) -> list[psutil.Process]:
        """Those that have ``word`` in their command."""
        found = []
        for process in self.processes():
            try:
                if re.search(rf"(^|[ /]){word}( |$)", " ".join(process.cmdline())):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def get(self, path: str) -> Answer:
        return request("GET", f"{self.url}{path}")

    def queue(self) -> dict[str, Any]:
        answer = self.get("/queue")
        assert answer.status == 200, answer
        queue: dict[str, Any] = answer.json()
        return queue

    def wait_until_drained(self, timeout_s: float = 100) -> None:
        def is_drained() -> bool:
            answer = self.get("/queue")
            return answer.status == 200 and answer.json()["depth"] == 0

        wait_for(is_drained, "draining", timeout_s)

    def check(self) -> dict[str, Any]:
        """What `minequeue check` says of the chain, which must be valid."""
        done = self.run("check", self.url, "--json", "--bits", "12")
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of minequeue in the stack's environment."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
        )
