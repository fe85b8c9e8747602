"""What a stack and its parts are started with: other programs' variables, and ignored signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from minequeue.workers.runtime.watchdog import is_fresh
from tests.http import post, request
from tests.server import run_server
from tests.stack import Stack, free_port
from tests.waiting import wait_for

# each changed or broke a part that read it
FOREIGN = {
    "APP": "nothing.here",
    "BROKER_URL": "redis://127.0.0.1:9/0",
    "RESULT_BACKEND": "nothing://",
    "LOADER": "nothing.here",
    "CONFIG_MODULE": "nothing.here",
    "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
    "CELERY_RESULT_BACKEND": "nothing://",
    "CELERY_LOADER": "nothing.here",
    "CELERY_CUSTOM_WORKER_POOL": "nothing.here:Pool",
    "DJANGO_SETTINGS_MODULE": "nothing.here",
    "AUTOSCALE_KEEPALIVE": "never",
    "KOMBU_LOG_DEBUG": "1",
    "FLASK_DEBUG": "1",
    "FLOWER_PORT": "9",
    "FLOWER_URL_PREFIX": "elsewhere",
    "FLOWER_UNAUTHENTICATED_API": "true",
    "FLOWER_BASIC_AUTH": "guest:guest",
    "GRANIAN_PORT": "9",
    "PROMETHEUS_MULTIPROC_DIR": "/nothing/here",
    "SCRIPT_NAME": "/elsewhere",
    "PATH_INFO": "/elsewhere",
    "HTTP_IDEMPOTENCY_KEY": "the same for all",
    "HTTP_AUTHORIZATION": "Bearer somebody's",
}
AUTH = "operator:s3cret"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory in which somebody keeps a configuration of their own Flower and Celery."""
    for name in ("flowerconfig.py", "celeryconfig.py"):
        (tmp_path / "project").mkdir(exist_ok=True)
        (tmp_path / "project" / name).write_text("raise RuntimeError('not ours')")
    return tmp_path / "project"


def test_a_stack_does_not_hear_variables_and_files_of_other_programs(
    tmp_path: Path, elsewhere: Path
) -> None:
    stack = Stack(tmp_path / "data")
    stack.environment |= FOREIGN | {"PYTHONPATH": str(Path(__file__).parents[2])}
    stack.directory = elsewhere
    try:
        stack.start()
        see_web(stack.url)
        see_flower(stack.flower_url)
        stack.wait_until_drained()
        assert stack.check()["transactions"] >= 2
    finally:
        assert stack.stop() == 0


def see_web(url: str) -> None:
    """It takes two transactions for two, where a key for all would make them one."""
    receipts = [post(url, {"sender": "a", "recipient": "b", "amount": 1}) for _ in range(2)]
    assert [receipt.status for receipt in receipts] == [202, 202]
    assert len({receipt.json()["id"] for receipt in receipts}) == 2


def see_flower(url: str) -> None:
    """Its page is where it was told to be; its API is closed without a password."""
    wait_for(lambda: request("GET", f"{url}/healthcheck").status, "Flower", 30)
    assert request("GET", f"{url}/").status == 200
    for path in ("/api/workers", "/api/tasks", "/api/queues/length"):
        assert request("GET", f"{url}{path}").status == 401


@pytest.fixture
def parts(tmp_path: Path, elsewhere: Path) -> Iterator["Parts"]:
    with ExitStack() as opened:
        yield Parts(tmp_path, elsewhere, opened)


class Parts:
    """Starts parts alone, each a process of its own, with a server; they end with the test."""

    def __init__(self, directory: Path, where: Path, opened: ExitStack) -> None:
        self.web_url, self.flower_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._where = where
        self._opened = opened
        self._logs = directory
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")},
            **FOREIGN,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "MINEQUEUE_REDIS_URL": opened.enter_context(run_server(directory / "server")),
            "MINEQUEUE_DATA_DIR": str(directory / "parts"),
            "MINEQUEUE_PORT": self.web_url.rpartition(":")[2],
            "MINEQUEUE_FLOWER_PORT": self.flower_url.rpartition(":")[2],
            "MINEQUEUE_BITS": "12",
            "MINEQUEUE_BLOCK_INTERVAL": "0.5",
            "MINEQUEUE_WEB_PROCESSES": "1",
        }

    def start(self, part: str, *prefix: str) -> "subprocess.Popen[bytes]":
        with (self._logs / f"{part}.log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "minequeue", part],
                env=self._environment,
                cwd=self._where,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._opened.callback(end, process)
        return process

    def see_all(self) -> None:
        """See that each works; of the resolver, that its watchdog says so."""
        wait_for(lambda: request("GET", f"{self.web_url}/health/ready").status == 200, "web")
        see_web(self.web_url)
        wait_for(self._is_drained, "a worker's blocks")
        since = time.time()
        liveness_dir = self._logs / "parts" / "alive" / "resolvers"
        wait_for(lambda: is_fresh(liveness_dir, None, since=since), "the resolver")
        see_flower(self.flower_url)

    def _is_drained(self) -> bool:
        return bool(request("GET", f"{self.web_url}/queue").json()["depth"] == 0)


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    finally:
        process.kill()
        process.wait()


def test_parts_that_are_started_alone_do_not_hear_them_either(parts: Parts) -> None:
    for part in ("web", "worker", "resolver", "flower"):
        parts.start(part)
    parts.see_all()


IGNORED = "trap '' HUP INT QUIT; exec \"$@\""
TERMINALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def test_a_stack_in_the_background_goes_on_when_its_terminal_goes(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data")
    stack.command = ("sh", "-c", IGNORED, "sh", *stack.command)
    try:
        process = psutil.Process(stack.start().process.pid)  # type: ignore[union-attr]  # it runs
        born = {p.pid for p in stack.processes()}
        for name in TERMINALS:
            for each in (process, *stack.processes()):
                each.send_signal(name)
        # it answers after the signals: it takes them before it looks at a death
        stack.processes_of("flower")[0].kill()
        wait_for(lambda: "flower   died" in stack.said(), "a look at the parts", 10)
        see_web(stack.url)
        stack.wait_until_drained()
        assert "stopping" not in stack.said()
        assert stack.said().count("died") == 1
        assert len(born - {p.pid for p in stack.processes()}) == 1
    finally:
        assert stack.stop() == 0
    assert stack.processes() == []


@pytest.mark.parametrize("command", ["up", "worker", "resolver"])
def test_shared_memory_that_is_read_only_is_named_in_one_sentence(
    tmp_path: Path, command: str
) -> None:
    alone = "-m" if os.getuid() == 0 else "-rm"
    made = 'mount --bind /dev/shm /dev/shm && mount -o remount,ro,bind /dev/shm && exec "$@"'
    done = subprocess.run(
        ["unshare", alone, "sh", "-c", made, "sh", sys.executable, "-m", "minequeue", command],
        env={**os.environ, "MINEQUEUE_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "minequeue: Workers cannot start their processes: no semaphore can be made "
        "(Read-only file system); make /dev/shm writable, in a container by a tmpfs there.\n"
    )


@pytest.mark.parametrize("output", [">/dev/full 2>&1", ">&- 2>&-", "> >(true) 2>&1"])
def test_a_stack_whose_own_output_fails_goes_on(tmp_path: Path, output: str) -> None:
    """A full disk under its log, none at all, and a pipe that was closed."""
    stack = Stack(tmp_path / "data")
    stack.command = ("bash", "-c", f'exec "$@" {output}', "bash", *stack.command)
    process = stack.spawn()
    try:
        wait_for(lambda: stack.get("/health/ready").status == 200, "web")
        (resolver,) = wait_for(lambda: stack.processes_of("resolver")[:1], "the resolver")
        resolver.kill()
        wait_for(lambda: resolver.pid not in {p.pid for p in stack.processes()}, "its death")
        wait_for(lambda: stack.processes_of("resolver"), "the next one")
        see_web(stack.url)
        assert process.poll() is None
    finally:
        assert stack.stop() == 0
    assert stack.processes() == []


def test_parts_in_the_background_go_on_when_their_terminal_goes(parts: Parts) -> None:
    started = [
        parts.start(part, "sh", "-c", IGNORED, "sh")
        for part in ("web", "worker", "resolver", "flower")
    ]
    parts.see_all()
    born = {p.pid for main in started for p in family(main)}
    for main in started:
        for process in family(main):
            for name in TERMINALS:
                process.send_signal(name)
    parts.see_all()
    assert {p.pid for main in started for p in family(main)} == born


def family(main: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    process = psutil.Process(main.pid)
    return [process, *process.children(recursive=True)]
