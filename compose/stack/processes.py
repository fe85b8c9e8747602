"""The long-running processes of a stack, each in the process that calls it: web, worker, Flower."""

import os
import socket
from pathlib import Path

from celery import signals
from flower import views
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from minequeue.compose.config.listening import check_listening, flower_host
from minequeue.compose.config.logs import configure, make_config
from minequeue.compose.config.ownership import check_way
from minequeue.compose.config.settings import Settings
from minequeue.compose.errors import NotLive
from minequeue.compose.stack.connections import (
    IDLE_TIMEOUT_S,
    calculate_max_connections,
    raise_file_limit,
)
from minequeue.compose.stack.semaphores import check_semaphores
from minequeue.compose.wiring.ledger import make_ledger
from minequeue.compose.wiring.no_server import saying_why_no_server_answers
from minequeue.compose.wiring.workers import (
    find_kernel,
    liveness_dir,
    make_celery,
    resolver_liveness_dir,
)
from minequeue.workers.runtime.ecs_protection import Agent, Protection
from minequeue.workers.runtime.tick_actions import MinerTickAction, ResolverTickAction
from minequeue.workers.runtime.transport import QueueLengths
from minequeue.workers.runtime.watchdog import is_fresh
from minequeue.workers.tasks import WorkerApp

WEB_APP = "minequeue.compose.wiring.web_app:create"
# Of a request's head, and of what is read ahead of its body: so much is always taken, and never
# more than twice as much. There may be thousands of connections; by default each takes 408 KiB.
_HEAD_BYTES = 32 * 1024
# what Amazon ECS tells each of its containers: where its agent answers; not a setting
_ECS_AGENT = "ECS_AGENT_URI"
_SAVES_MS = 10_000  # between two saves of Flower's history: what its death may cost
_STOP_S = 10  # how long requests in flight get when the web tier stops


def run_web(
    settings: Settings, app: str = WEB_APP, *, idle_timeout_s: float = IDLE_TIMEOUT_S
) -> None:
    """Serve HTTP until SIGTERM; requests in flight are finished.

    Args:
        settings: of the stack.
        app: "module:function" that makes the app in each process.
        idle_timeout_s: seconds after which a silent connection is closed.

    Raises:
        MinequeueError: the ledger cannot be used.
    """
    check_listening(settings)
    _check_ledger(settings)  # here, so that what is wrong is said once and not by every process
    _hand_down(settings)
    connections = calculate_max_connections(raise_file_limit(), settings.web_threads)
    Granian(
        app,
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        websockets=False,
        # at "auto" a dead HTTP/2 connection never ends the read of a body, and no silent connection
        # is closed
        http=HTTPModes.http1,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=_STOP_S,
        # what connects is served in turn; nobody is turned away by the server itself
        backlog=connections,
        backpressure=connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=round(idle_timeout_s * 1000), max_buffer_size=_HEAD_BYTES
        ),
        log_dictconfig=make_config(settings.log),
        log_level="warning",  # type: ignore[arg-type]  # an enum of the same strings
    ).serve()


def run_worker(settings: Settings, name: str) -> None:
    """Mine until SIGTERM; the run that is under way is finished.

    Args:
        settings: of the stack.
        name: the worker's name, unique on its host, or NAME@HOST.

    Raises:
        MinequeueError: the ledger cannot be used.
    """
    configure(settings.log)
    check_semaphores()
    _check_ledger(settings)
    find_kernel(settings.data_dir)  # here, so that the pool's processes need not
    least, most = settings.miners
    app = make_celery(settings)
    agent = os.environ.get(_ECS_AGENT)
    app.tick_action = MinerTickAction(Protection(Agent(agent).protect) if agent else None)
    _serve(app, _name_fully(name), app.mine_queue, f"--autoscale={most},{least}")


def run_resolver(settings: Settings, name: str) -> None:
    """Resolve conflicts with other nodes until SIGTERM; the only part that calls them.

    Args:
        settings: of the stack.
        name: as of a worker.

    Raises:
        MinequeueError: the ledger cannot be used.
    """
    configure(settings.log)
    check_semaphores()
    _check_ledger(settings)
    app = make_celery(settings)
    app.tick_action = ResolverTickAction()
    app.liveness_dir = resolver_liveness_dir(settings)
    _serve(app, _name_fully(name), app.resolve_queue, "--concurrency=1")


def _check_ledger(settings: Settings) -> None:
    with saying_why_no_server_answers():
        make_ledger(settings)


def _serve(app: WorkerApp, name: str, queue: str, pool: str) -> None:
    """Be a Celery worker until SIGTERM."""
    # somebody takes care of it: Celery would set up logs of its own
    signals.setup_logging.connect(_keep_logs, weak=False)
    app.worker_main(
        [
            "--quiet",  # its banner is no line of a log
            "worker",
            f"--queues={queue},{app.self_test_queue(name)}",
            pool,
            f"--hostname={name}",
            "--task-events",
            # Flower needs neither, and a worker that lost its server restarts better without
            "--without-gossip",
            "--without-mingle",
            "--loglevel=INFO",
        ]
    )


def _keep_logs(**_: object) -> None:
    """Leave the logs as they were configured."""


def check_worker(settings: Settings, name: str | None) -> None:
    """See that the worker ``name``, or any of this data directory, works.

    Raises:
        NotLive: it does not.
    """
    _check(liveness_dir(settings), name or "", "any worker")


def check_resolver(settings: Settings, name: str | None) -> None:
    """As :func:`check_worker`, of a resolver."""
    _check(resolver_liveness_dir(settings), name or "", "any resolver")


def _check(liveness_dir: Path, name: str, anyone: str) -> None:
    if not is_fresh(liveness_dir, _name_fully(name) if name else None):
        raise NotLive(f"No fresh liveness file of {name or anyone} is in {liveness_dir}.")


def run_flower(settings: Settings, database: Path | None) -> None:
    """Watch the workers until SIGTERM.

    Args:
        settings: of the stack.
        database: where it keeps its history, or None.

    Raises:
        StartRefused: others could have written the history, which is pickled.
    """
    if database is not None:
        for path in (database, *database.parent.glob(f"{database.name}.*")):
            check_way(path)
    configure(settings.log)
    if settings.flower_auth:
        # by the environment, since everybody may read a command line
        os.environ["FLOWER_BASIC_AUTH"] = settings.flower_auth
    arguments = [
        "flower",
        f"--address={flower_host(settings)}",
        f"--port={settings.flower_port}",
        "--purge_offline_workers=10",
        "--logging=warning",
        # else a file of the current directory would be run, and change any of these
        f"--conf={os.devnull}",
    ]
    if database is not None:
        arguments += ["--persistent=True", f"--db={database}", f"--state_save_interval={_SAVES_MS}"]
    app = make_celery(settings)
    # its own reads the URL by itself, without options, and would show the password to anybody
    views.Broker = lambda *_, **__: QueueLengths(app)
    # not by the name of a module, which Celery would look for in the current directory first
    app.start(arguments)


def _name_fully(name: str) -> str:
    """A worker's name as Celery wants it."""
    return name if "@" in name else f"{name}@{socket.gethostname()}"


def _hand_down(settings: Settings) -> None:
    """Give the settings to the processes that this one starts, which read the environment."""
    os.environ.update(settings.as_environment())
