"""A whole stack on a server in cluster mode, with TLS and few rights: its restart, and failovers.

As on Amazon MemoryDB, which is a cluster always: a node that starts says CLUSTERDOWN, and one that
another took over from answers MOVED on every connection that stayed with it.
"""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.cluster import PASSWORD, Cluster, run_cluster
from tests.http import post, request
from tests.stack import Stack
from tests.waiting import wait_for

REQUESTS = "3000"
FLOWER_AUTH = "people:pass-word-of-flower"


class Client:
    """Submits one payment after another, each once, and counts the answers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.answers: Counter[int] = Counter()
        self.untold: list[str] = []  # answers of 503 that do not say when to come again
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(4)]

    def _run(self, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            payment = {"sender": f"client {number}", "recipient": "b", "amount": count}
            for answer in (post(self._url, payment), request("GET", f"{self._url}/queue")):
                self.answers[answer.status] += 1
                if answer.status == 503 and not (answer.headers["Retry-After"] or "").isdigit():
                    self.untold.append(answer.body.decode())

    def __enter__(self) -> "Client":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with run_cluster(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def stack(cluster: Cluster, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(
        tmp_path / "data",
        redis_url=cluster.url,
        redis_wait="1",  # about a restart of the primary: some requests see its end, others do not
        miners="1,1",
        web_processes="2",
        flower_auth=FLOWER_AUTH,
    )
    try:
        yield made.start()
    finally:
        made.stop()


@contextmanager
def second_worker(stack: Stack) -> Iterator["subprocess.Popen[bytes]"]:
    with (stack.data_dir / "logs" / "second.log").open("wb") as log:
        worker = subprocess.Popen(
            [*stack.command, "worker", "--name", "second@here", "--data-dir", str(stack.data_dir)],
            env={**stack.environment, "MINEQUEUE_DATA_DIR": str(stack.data_dir)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield worker
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


@pytest.mark.timeout(300)
def test_restart_and_failover_of_a_cluster_cost_a_wait_and_nothing_else(
    stack: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    with second_worker(stack) as second:
        wait_for(lambda: stack.queue()["miners"] == 2, "two miners", 30)
        parts = {word: leaders_of(stack, word) for word in ("worker", "resolver", "flower", "web")}
        with (tmp_path / "burst").open("wb") as output, Client(stack.url) as client:
            burst = subprocess.Popen(
                [
                    *(sys.executable, "-m", "minequeue", "burst", stack.url, "--json", "--retry"),
                    *("--requests", REQUESTS, "--mine", "1", "--bursts", "6", "--pause", "2"),
                    *("--wait", "120"),
                ],
                env=stack.environment,
                stdout=output,
            )
            mined = stack.queue()["tip"]["index"]
            for fault in (cluster.restart_primary, cluster.fail_over, cluster.fail_over):
                wait_for(lambda m=mined: tip_of(stack) > m, "blocks", 60)  # type: ignore[misc]  # mypy does not infer defaults of lambdas
                fault()
                mined = tip_of(stack) or mined
            wait_for(lambda: tip_of(stack) > mined, "blocks after the last failover", 60)
        # it looks for its receipts when the queue is empty
        assert burst.wait(120) == 0, (tmp_path / "burst").read_text()
        stack.wait_until_drained()
        found = json.loads((tmp_path / "burst").read_text())
        assert (found["lost"], found["doubled"], found["jobs_lost"]) == (0, 0, 0)
        assert {int(status) for status in found["refused"]} <= {429, 503}
        assert set(client.answers) <= {200, 202, 503}, client.answers
        assert client.untold == []
        assert stack.check()["valid"]
        assert second.poll() is None
        assert {word: leaders_of(stack, word) for word in parts} == parts
        wait_for(
            lambda: flower_shows(stack, "minequeue.minequeue"), "Flower's view of the queue", 30
        )
        logs = "".join(log.read_text() for log in (stack.data_dir / "logs").iterdir())
        assert PASSWORD not in logs
        assert not re.search("Unrecoverable|this worker ends|insecure", logs)


def leaders_of(stack: Stack, word: str) -> set[int]:
    """The processes of that part that have outlived everything: those that nobody forks anew."""
    return {
        p.pid
        for p in stack.processes_of(word)
        if "minequeue" in p.cmdline() and psutil.Process(p.ppid()).cmdline() != p.cmdline()
    }


def tip_of(stack: Stack) -> int:
    """The tip's index; 0 if it is not told now."""
    answer = stack.get("/chain/tip")
    return int(answer.json()["index"]) if answer.status == 200 else 0


def flower_shows(stack: Stack, queue: str) -> bool:
    headers = {"Authorization": f"Basic {base64.b64encode(FLOWER_AUTH.encode()).decode()}"}
    # it keeps what the workers told it last, which may be nothing while their server moves
    request("GET", f"{stack.flower_url}/api/workers?refresh=1", headers=headers)
    answer = request("GET", f"{stack.flower_url}/api/queues/length", headers=headers)
    return answer.status == 200 and queue in {q["name"] for q in answer.json()["active_queues"]}
