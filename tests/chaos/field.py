"""What faults strike: a whole stack, a careful client, and what the client knows.

Of three kinds: "own" is a stack as `minequeue up` starts it, with a server of its own; "named" is
one whose server is the harness's, with a proxy between them; "cluster" is one whose server is two
nodes in cluster mode behind one name.
"""

import itertools
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, TypeAlias

import psutil
import redis

from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger import Ledger
from minequeue.chain.ledger.redis_url import write_socket
from minequeue.compose.burst.record import Record
from minequeue.compose.config.embedded import SERVERS, socket_path
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import make_ledger
from tests.chaos.disk import mount_small
from tests.chaos.figures import BLOCK_INTERVAL_S, Figures
from tests.chaos.load import Load
from tests.chaos.proxy import Proxy
from tests.chaos.server import Server
from tests.chaos.timeline import Timeline
from tests.chaos.watch import Watch
from tests.cluster import Cluster, run_cluster
from tests.http import request
from tests.stack import Stack
from tests.waiting import wait_for

Kind: TypeAlias = Literal["own", "named", "cluster"]

BITS = 12
TIMEOUT_S = 60.0  # for what must happen
_RETRY_DELAY_S = 0.05  # before a request is repeated


class Field:
    """One stack, under load for a round at a time.

    Args:
        directory: for its data; made.
        kind: see above.
        figures: where times go.
    """

    load: Load

    def __init__(self, directory: Path, kind: Kind, figures: Figures) -> None:
        self.kind = kind
        self.figures = figures
        self.directory = directory
        self.record = Record()
        self.small_disk: Path | None = None
        self.rounds = 0  # that it has been through
        self._keys = itertools.count()
        self._open = ExitStack()
        self._settings = {
            "bits": str(BITS),
            "block_interval": str(BLOCK_INTERVAL_S),
            "block_transactions": "60",
            "miners": "0,2" if kind == "own" else "1,2",
            "quiet_time": "0.5",
            "web_processes": "2",
        }

    def __enter__(self) -> "Field":
        self.directory.mkdir(parents=True, exist_ok=True)
        data_dir = self.directory / "data"
        if self.kind == "named":
            self._server = Server(self.directory / "server").start()
            self._open.callback(self._server.kill)
            self._proxy = self._open.enter_context(Proxy(self._server.port))
            self._settings["redis_url"] = f"redis://127.0.0.1:{self._proxy.port}/0"
            self.server_url = self._server.url
        elif self.kind == "cluster":
            self._cluster = self._open.enter_context(run_cluster(self.directory / "cluster"))
            self.server_url = self._settings["redis_url"] = self._cluster.url
        else:
            ledger = data_dir / "ledger"
            self.small_disk = ledger if mount_small(ledger, self._open) else None
            self.server_url = write_socket(socket_path(data_dir))
        self.stack = Stack(data_dir, **self._settings)
        self._open.callback(self._end)
        self.stack.start()
        self.ledger = self.open_ledger(wait_s=1)
        self.watch = Watch(self.ledger, self.record).start()
        self._open.callback(self.watch.stop)
        self.timeline = self._open.enter_context(Timeline(self.stack.url, self.record.now_s))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def server(self) -> Server:
        """The harness's own; of a named field only."""
        return self._server

    @property
    def proxy(self) -> Proxy:
        """In front of :attr:`server`; of a named field only."""
        return self._proxy

    @property
    def cluster(self) -> Cluster:
        """Of a cluster field only."""
        return self._cluster

    @property
    def settings(self) -> dict[str, str]:
        """Those of the stack, by field."""
        return dict(self._settings)

    def open_ledger(self, *, wait_s: float) -> Ledger:
        """The ledger by a way of the harness's own, without the proxy."""
        said = {**self._settings, "redis_url": self.server_url, "redis_wait": str(wait_s)}
        return make_ledger(Settings.from_environment({}, said))

    def admin(self) -> "redis.Redis":
        """A client of the server, without the proxy."""
        return redis.Redis.from_url(self.server_url, socket_timeout=5)

    def ask_for_block(self) -> str:
        """Send a mine request until it is accepted; its job."""
        headers = {"Idempotency-Key": f"harness {next(self._keys)}"}
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            answer = request("POST", f"{self.stack.url}/chain/mine", headers=headers)
            if answer.status == 202:
                job = str(answer.json()["id"])
                self.record.jobs[job] = self.record.now_s()
                return job
            time.sleep(_RETRY_DELAY_S)
        raise AssertionError(f"no mine request was accepted for {TIMEOUT_S:g} s")

    def measure_next_block(self, since: float) -> float:
        """Ask for a block; seconds from ``since`` (by time.monotonic) until it is connected."""
        job = self.ask_for_block()
        wait_for(lambda: self._is_done(job), "the block of a mine request", TIMEOUT_S)
        return time.monotonic() - since

    def _is_done(self, job: str) -> bool:
        try:
            found = self.ledger.blocks.locate_job(job)
        except MinequeueError:
            return False
        return hasattr(found, "index")

    def wait_until_web_serves(self) -> None:
        url = f"{self.stack.url}/health/ready"
        wait_for(lambda: request("GET", url).status == 200, "a ready web tier", TIMEOUT_S)

    def miners(self) -> list[psutil.Process]:
        """The pool's processes."""
        workers = self.stack.processes_of("worker")
        mains = {process.pid for process in workers}
        return [process for process in workers if _parent(process) in mains]

    def worker_main(self) -> psutil.Process | None:
        """The worker's main process."""
        workers = self.stack.processes_of("worker")
        pool = {process.pid for process in workers}
        return next((process for process in workers if _parent(process) not in pool), None)

    def web(self) -> list[psutil.Process]:
        """The web tier's processes, the one that starts the others first."""
        found = []
        for main in self.stack.processes_of("web"):
            try:
                found += [main, *main.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def servers(self) -> list[psutil.Process]:
        """The stack's own server, while it lives."""
        return [p for name in SERVERS for p in self.stack.processes_of(name)]

    def _end(self) -> None:
        process = self.stack.process
        if process is not None and process.poll() is None:
            assert self.stack.stop() == 0, self.stack.said()
        assert self.stack.processes() == []


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0
