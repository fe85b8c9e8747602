"""The Celery app: its one task, and settings under which a broken connection does no harm."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery

from chain.ledger.fleet import Fleet
from workers.bell import Bell
from workers.miner import Miner
from workers.per_process import PerProcess
from workers.pulse import PULSE, STRATEGY, queue_of
from workers.sweep import SweepStep

MINE = "mine"  # the task's name, as Flower shows it


@dataclass(frozen=True, slots=True)
class Crew:
    """What a process of a worker works with.

    Attributes:
        miner: mines.
        bell: wakes other miners.
        fleet: where the worker is registered.
        kernel: the name of what the miner searches with.
    """

    miner: Miner
    bell: Bell
    fleet: Fleet
    kernel: str


class WorkerApp(Celery):
    """The Celery app, with what its task and its sweep work with.

    Attributes:
        crew: of the process that asks.
        signs: the directory for the workers' signs of life.
    """

    crew: PerProcess[Crew]
    signs: Path

    def send_wake_up(self) -> object:
        """Send one wake-up.

        Raises:
            OperationalError: the broker is away.
        """
        return self.send_task(MINE, queue=self._wake_ups, retry=False, ignore_result=True)

    def send_pulse(self, worker: str) -> None:
        """Send ``worker`` its pulse.

        Raises:
            OperationalError: the broker is away.
        """
        queue = queue_of(worker, self._wake_ups)
        self.send_task(PULSE, queue=queue, retry=False, ignore_result=True)

    def forget_pulse(self, worker: str) -> None:
        """Remove the queue of ``worker``'s pulse.

        Raises:
            OperationalError: the broker is away.
        """
        with self.connection_for_write() as connection:
            channel: Any = connection.default_channel  # its types leave this out
            channel.queue_delete(queue_of(worker, self._wake_ups))

    def list_queues(self, worker: str) -> list[str]:
        """The queues that ``worker`` reads."""
        return [self._wake_ups, queue_of(worker, self._wake_ups)]

    @property
    def _wake_ups(self) -> str:
        return str(self.conf.task_default_queue)


def create_celery(
    broker_url: str,
    queue: str,
    make_crew: Callable[[Callable[[], object]], Crew],
    signs: Path,
) -> WorkerApp:
    """Make the app.

    Args:
        broker_url: where the wake-ups travel.
        queue: the name of their queue; one for each network.
        make_crew: makes a process's crew; it is given the function that sends one wake-up.
        signs: the directory for the workers' signs of life.
    """
    app = WorkerApp("minequeue", broker=broker_url, set_as_current=False)
    app.conf.update(_configure(queue))
    app.crew = PerProcess(lambda: make_crew(app.send_wake_up))
    app.signs = signs
    app.steps["worker"].add(SweepStep)

    @app.task(name=MINE)
    def mine() -> dict[str, Any]:
        """Mine the blocks that are due, for a few seconds, and ask for a successor."""
        crew = app.crew.get()
        result = crew.miner.run()
        crew.bell.ring()
        return result.as_json()

    @app.task(name=PULSE, Strategy=STRATEGY)
    def pulse() -> None:
        """Never run: the worker's main process takes the message."""

    return app


def _configure(queue: str) -> dict[str, Any]:
    return {
        "task_default_queue": queue,
        "accept_content": ["json"],
        "task_serializer": "json",
        # a wake-up is answered by its arrival: acknowledged early, none is ever delivered twice,
        # and the sweep replaces the ones that die with their worker
        "task_acks_late": False,
        "task_ignore_result": True,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        # a run is bounded by itself; this is for a process that hangs
        "task_time_limit": 30,
        "worker_autoscaler": "workers.autoscaler:BacklogAutoscaler",
        "worker_max_tasks_per_child": 10_000,
        "worker_max_memory_per_child": 1024 * 1024,  # KiB
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_acquire_timeout": 1,
        # every socket is bounded: a server that accepts and stays silent must not hang a process
        "broker_transport_options": {
            "visibility_timeout": 30,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_timeout": 2,
            "socket_connect_timeout": 1,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "max_retries": 0,
        },
    }
