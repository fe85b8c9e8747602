"""The synchronous design as it is deployed: two replicas behind a balancer."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from minequeue.compose.client.node_client import NodeClient
from tests.chaos.synchronous import Block
from tests.stack import free_port
from tests.waiting import wait_for

REPLICAS = 2
_START_S = 30
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ancestor:
    """A running deployment: the balancer's URL, and that of each replica."""

    url: str
    replicas: list[str]

    def mine_the_rest(self) -> None:
        """Let each replica put into a block what waits in its memory."""
        for replica in self.replicas:
            NodeClient(replica).call("GET", "/chain/mine")

    def read_chains(self) -> list[list[Block]]:
        """Each replica's chain."""
        return [NodeClient(replica).call("GET", "/chain")[1]["chain"] for replica in self.replicas]


@contextmanager
def run_ancestor() -> Iterator[Ancestor]:
    """Start replicas and balancer, and end them when left."""
    ports = [free_port() for _ in range(REPLICAS)]
    front = free_port()
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(_run("tests.chaos.synchronous", port))
        stack.enter_context(_run("tests.chaos.round_robin", front, *ports))
        for port in (*ports, front):
            wait_for(lambda p=port: _listens(p), f"port {port}", _START_S)  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        yield Ancestor(f"http://127.0.0.1:{front}", [f"http://127.0.0.1:{port}" for port in ports])


@contextmanager
def _run(module: str, *ports: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, ports)],
        cwd=_CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
