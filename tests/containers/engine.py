"""A container engine of one's own: podman with a store, networks and settings in one directory."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.compose_file import COMPOSE_FILE, ROOT
from tests.waiting import wait_for

BASE = "localhost/minequeue-base:latest"
# Debian's: podman, runc, netavark, aardvark-dns (names of services), catatonit (the init), iptables
_PROGRAMS = ("podman", "runc", "catatonit", "iptables", "debootstrap", "tar", "unshare", "ip")
_HELPERS = ("netavark", "aardvark-dns")
_START_S = 120  # on a machine whose processors are all mining
_CONTAINERS_CONF = """
[containers]
# those that podman asks for by default are more than some machines allow
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{directory}/tmp"
[network]
network_backend = "netavark"
network_config_dir = "{directory}/networks"
"""
_STORAGE_CONF = """
[storage]
driver = "overlay"
graphroot = "{directory}/store"
runroot = "{directory}/run"
"""


def say_what_is_missing() -> str:
    """Why no container can run here, or nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "containers are run by root on Linux alone"
    lacking = [name for name in _PROGRAMS if not shutil.which(name, path=_path())]
    lacking += [name for name in _HELPERS if not Path("/usr/lib/podman", name).exists()]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


class Engine:
    """Runs podman and podman-compose.

    Args:
        directory: gets all that they keep.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for name, text in (("containers", _CONTAINERS_CONF), ("storage", _STORAGE_CONF)):
            (directory / f"{name}.conf").write_text(text.format(directory=directory))
        self._environment = {
            "PATH": _path(),
            "CONTAINERS_CONF": str(directory / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
            "BASE": BASE,
        }

    def podman(self, *words: str | Path) -> str:
        """What podman prints; its complaints are shown where it fails."""
        return self._run("podman", *words)

    def compose(self, *words: str) -> str:
        """What podman-compose prints."""
        return self._run(
            sys.executable, "-m", "podman_compose", "--file", COMPOSE_FILE, *words
        )  # fmt: skip

    def hold_bridges(self) -> None:
        """Let the bridges of the networks keep the addresses that they have.

        Before 1.9 netavark leaves them to the kernel, which takes the lowest of all that are on a
        bridge. With each container that comes or goes it may be another one, and who has the old
        one in its ARP table finds no name server for up to 100 s:
        https://github.com/containers/netavark/pull/833
        """
        for bridge in json.loads(self._run("ip", "-json", "link", "show", "type", "bridge")):
            self._run("ip", "link", "set", bridge["ifname"], "address", bridge["address"])

    def names(self, service: str) -> list[str]:
        """Its containers that run."""
        chosen = f"label=com.docker.compose.service={service}"
        return sorted(self.podman("ps", "--filter", chosen, "--format", "{{.Names}}").split())

    def inspect(self, name: str, what: str) -> str:
        return self.podman("inspect", "--format", f"{{{{{what}}}}}", name).strip()

    def is_healthy(self, name: str) -> bool:
        """Whether its health check succeeds now; where no systemd runs nobody else asks."""
        return self._call("podman", "healthcheck", "run", name).returncode == 0

    def wait_until_healthy(self, name: str) -> None:
        with self._telling_what_it_said(name):
            wait_for(lambda: self.is_healthy(name), f"health of {name}", _START_S)

    def kill(self, name: str) -> None:
        """Kill its process 1, and with it all of its processes, and wait until it is back."""
        before = int(self.inspect(name, ".RestartCount"))
        os.kill(int(self.inspect(name, ".State.Pid")), signal.SIGKILL)
        wait_for(
            lambda: int(self.inspect(name, ".RestartCount")) > before,
            f"the restart of {name}",
            _START_S,
        )
        self.wait_until_healthy(name)

    def stop(self, name: str, grace_s: int) -> None:
        """Ask it to stop, and see that it did so before it would have been killed."""
        began = time.monotonic()
        with self._telling_what_it_said(name):
            self.podman("stop", "--time", str(grace_s), name)
            took_s = time.monotonic() - began
            assert took_s < grace_s, f"{name} took {took_s:.1f} s to stop"

    def remove(self, services: list[str]) -> None:
        """Remove all containers of ``services``; first those that depend on others."""
        for service in services:
            chosen = f"label=com.docker.compose.service={service}"
            names = self.podman("ps", "--all", "--filter", chosen, "--format", "{{.Names}}").split()
            if names:
                self.podman("rm", "--force", "--time", "0", *names)

    def close(self) -> None:
        """Let go of the store, so that its directory can be removed."""
        store = self._directory / "store" / "overlay"
        if store.is_mount():
            subprocess.run(["umount", store], check=True)

    @contextmanager
    def _telling_what_it_said(self, name: str) -> Iterator[None]:
        try:
            yield
        except AssertionError as error:
            said = self._call("podman", "logs", "--timestamps", "--tail", "30", name)
            error.add_note(said.stdout + said.stderr)
            raise

    def _run(self, *words: str | Path) -> str:
        done = self._call(*words)
        if done.returncode:
            command = " ".join(map(str, words))
            raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def _call(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            words, env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False
        )


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
