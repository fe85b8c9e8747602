"""Two real nodes in cluster mode behind one name, as Amazon MemoryDB has them.

A primary with all of the slots and its replica, TLS at the name, and a user with no more rights
than the data stack gives.
"""

import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
import trustme

from minequeue.compose.config.embedded import find_server
from tests.relay import Relay
from tests.server_options import DEFAULT_RIGHTS, RIGHTS
from tests.stack import free_port
from tests.waiting import wait_for

USER, PASSWORD = "minequeue-data", "pass-word-of-the-cluster-5d1e"
_ADMIN, _ADMIN_PASSWORD = "admin", "pass-word-of-the-admin-77aa"


class Node:
    """A node of the cluster."""

    def __init__(self, directory: Path, *options: str) -> None:
        directory.mkdir(parents=True)
        self.port, self.bus_port = free_port(), free_port()
        self._directory = directory
        self._options = ("--port", str(self.port), "--cluster-port", str(self.bus_port), *options)
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with (self._directory / "node.log").open("ab") as log:
            return subprocess.Popen(
                [
                    find_server(os.environ.get("MINEQUEUE_SERVER_BINARY", "")),
                    *("--bind", "127.0.0.1", "--dir", str(self._directory), "--save", ""),
                    *("--appendonly", "yes", "--appendfsync", "always"),
                    *("--cluster-enabled", "yes", "--cluster-node-timeout", "2000"),
                    *("--repl-diskless-sync-delay", "0"),
                    *("--user", "default", *DEFAULT_RIGHTS),
                    *("--user", USER, "on", f">{PASSWORD}", *RIGHTS),
                    *("--user", _ADMIN, "on", f">{_ADMIN_PASSWORD}", "~*", "&*", "+@all"),
                    *("--masteruser", _ADMIN, "--masterauth", _ADMIN_PASSWORD),
                    *self._options,
                ],
                stdout=log,
                stderr=log,
            )

    def restart(self) -> None:
        """Kill it, and start it again at once; it says CLUSTERDOWN or LOADING for a while."""
        self.kill()
        self.process = self._start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, *words: str | int) -> Any:
        """The answer to a command of the administrator's."""
        with redis.Redis(port=self.port, username=_ADMIN, password=_ADMIN_PASSWORD) as client:
            asked: Any = client  # untyped execute_command()
            return asked.execute_command(*words)

    def is_up(self) -> bool:
        try:
            return b"cluster_state:ok" in self.ask("CLUSTER", "INFO")
        except redis.RedisError:
            return False

    @property
    def role(self) -> bytes:
        """Whether it is b"master" or b"slave" by its own word."""
        said: bytes = self.ask("ROLE")[0]
        return said

    def is_linked(self) -> bool:
        """Whether it is a replica that has everything its primary has sent."""
        said = self.ask("ROLE")
        return bool(said[0] == b"slave" and said[3] == b"connected")


class Cluster:
    """See the module.

    Attributes:
        url: for MINEQUEUE_REDIS_URL, with user, password and authority.
        primary: the node that the name leads to.
        replica: the other.
    """

    def __init__(self, url: str, relay: Relay, primary: Node, replica: Node) -> None:
        self.url = url
        self._relay = relay
        self.primary = primary
        self.replica = replica

    def restart_primary(self) -> None:
        """Kill the primary and start it again; what was acknowledged is in its log."""
        self.primary.restart()

    def wait_until_whole(self) -> None:
        """Wait until both serve and the replica follows."""
        wait_for(lambda: self.primary.is_up() and self.replica.is_up(), "a whole cluster", 60)
        wait_for(self.replica.is_linked, "a replica that follows", 60)

    def fail_over(self) -> None:
        """Make the replica the primary without losing a write, and let the name lead there.

        Connections that are open stay at the old primary, which answers MOVED from now on.
        """
        self.wait_until_whole()
        self.replica.ask("CLUSTER", "FAILOVER")
        wait_for(lambda: self.replica.role == b"master", "the failover", 30)
        self.primary, self.replica = self.replica, self.primary
        self._relay.target = self.primary.port


@contextmanager
def run_cluster(directory: Path, *options: str, tls: bool = True) -> Iterator[Cluster]:
    """Run a cluster that keeps its data in ``directory``; it is gone when this is left.

    Args:
        directory: is made.
        options: what the command line of both nodes says besides.
        tls: whether the name wants TLS; the authority's certificate is in ``directory``.
    """
    with ExitStack() as started:
        nodes = [Node(directory / name, *options) for name in ("one", "two")]
        for node in nodes:
            started.callback(node.kill)
            wait_for(lambda n=node: _answers(n), "a node")  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        first, second = nodes
        first.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        first.ask("CLUSTER", "MEET", "127.0.0.1", second.port, second.bus_port)
        wait_for(lambda: all(n.is_up() for n in nodes), "a cluster")
        second.ask("CLUSTER", "REPLICATE", first.ask("CLUSTER", "MYID").decode())
        relay = started.enter_context(Relay(first.port, _make_tls(directory) if tls else None))
        scheme, query = ("rediss", f"?ssl_ca_certs={directory}/ca.pem") if tls else ("redis", "")
        made = Cluster(
            f"{scheme}://{USER}:{PASSWORD}@localhost:{relay.port}/0{query}", relay, first, second
        )
        made.wait_until_whole()
        yield made


def _answers(node: Node) -> bool:
    try:
        return bool(node.ask("PING"))
    except redis.RedisError:
        return False


def _make_tls(directory: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context
