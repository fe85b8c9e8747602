"""The Celery app: its tasks, and settings under which a broken connection does no harm."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from celery import Celery, Task
from celery.app.amqp import AMQP
from kombu import Exchange

from minequeue.chain.ledger.fleet import Fleet
from minequeue.workers.mining.miner import Miner
from minequeue.workers.peers.resolver import RUN_S, Resolver
from minequeue.workers.runtime import transport
from minequeue.workers.runtime.per_process import PerProcess
from minequeue.workers.runtime.self_test import SELF_TEST, STRATEGY, queue_of
from minequeue.workers.runtime.tick_actions import TickAction
from minequeue.workers.runtime.ticks import TickStep
from minequeue.workers.runtime.wake_ups import WakeUps

MINE = "mine"  # the tasks' names, as Flower shows them
RESOLVE = "resolve"
_RESOLVE_LIMIT_S = 2 * RUN_S
_RESOLVE_EXPIRES_S = 30  # a message that nobody took by then is sent again where it is due


@dataclass(frozen=True, slots=True)
class Crew:
    """What a process of a worker works with.

    Attributes:
        miner: mines.
        wake_ups: wakes other miners.
        fleet: where the worker is registered.
        kernel: the name of what the miner searches with.
    """

    miner: Miner
    wake_ups: WakeUps
    fleet: Fleet
    kernel: str


class DirectAMQP(AMQP):
    """Queues without exchanges: a message goes to the queue of its name.

    An exchange is a table in Redis, which every worker writes when it starts, and which every
    message is looked up in.
    """

    # its type is wrong in celery-types; the default exchange is documented beside it
    autoexchange = staticmethod(lambda _name: None)  # type: ignore[assignment]
    default_exchange = Exchange("")
    Connection = transport.BrokerConnection


class WorkerApp(Celery):
    """The Celery app, with what its tasks and its tick work with.

    Attributes:
        crew: of the process that asks, to mine.
        resolver: of the process that asks, to resolve conflicts with other nodes.
        tick_action: what a worker does at each tick; set by what starts one.
        liveness_dir: the directory of the workers' liveness files.
    """

    amqp_cls = f"{__name__}:{DirectAMQP.__name__}"
    crew: PerProcess[Crew]
    resolver: PerProcess[Resolver]
    tick_action: TickAction
    liveness_dir: Path

    def send_wake_up(self) -> object:
        """Send one wake-up.

        Raises:
            OperationalError: the broker is away.
        """
        return self.send_task(MINE, queue=self.mine_queue, retry=False, ignore_result=True)

    def send_resolve(self) -> object:
        """Ask the resolver to begin.

        Raises:
            OperationalError: the broker is away.
        """
        return self.send_task(
            RESOLVE,
            queue=self.resolve_queue,
            retry=False,
            ignore_result=True,
            expires=_RESOLVE_EXPIRES_S,
        )

    def send_self_test(self, worker: str) -> None:
        """Send ``worker`` its self-test message.

        Raises:
            OperationalError: the broker is away.
        """
        self.send_task(
            SELF_TEST, queue=self.self_test_queue(worker), retry=False, ignore_result=True
        )

    def forget_self_test(self, worker: str) -> None:
        """Remove the queue of ``worker``'s self-test messages.

        Raises:
            OperationalError: the broker is away.
        """
        with self.connection_for_write() as connection:
            channel: Any = connection.default_channel  # its types leave this out
            channel.queue_delete(self.self_test_queue(worker))

    def self_test_queue(self, worker: str) -> str:
        """The queue of ``worker``'s self-test messages, beside the one of its tasks."""
        return queue_of(worker, self.mine_queue)

    @property
    def mine_queue(self) -> str:
        """The queue that miners read."""
        return str(self.conf.task_default_queue)

    @property
    def resolve_queue(self) -> str:
        """The queue that the resolver reads."""
        return f"{self.mine_queue}.resolve"


def create_celery(
    redis_url: str,
    queue: str,
    make_crew: Callable[[Callable[[], object]], Crew],
    make_resolver: Callable[[], Resolver],
    liveness_dir: Path,
) -> WorkerApp:
    """Make the app.

    Args:
        redis_url: where the wake-ups travel.
        queue: the name of their queue; one for each network.
        make_crew: makes a process's crew; it is given the function that sends one wake-up.
        make_resolver: makes a process's resolver.
        liveness_dir: the directory of the workers' liveness files.
    """
    app = WorkerApp("minequeue", broker=transport.use(redis_url), set_as_current=False)
    app.conf.update(_configure(queue))
    app.crew = PerProcess(lambda: make_crew(app.send_wake_up))
    app.resolver = PerProcess(make_resolver)
    app.liveness_dir = liveness_dir
    app.steps["worker"].add(TickStep)

    @app.task(name=MINE, bind=True)
    def mine(task: Task[Any, Any]) -> dict[str, Any]:
        """Mine the blocks that are due, for a few seconds, and ask for a successor."""
        crew = app.crew.get()
        result = crew.miner.run(worker=str(task.request.hostname or ""))
        crew.wake_ups.wake()
        return result.to_dict()

    @app.task(name=RESOLVE, time_limit=_RESOLVE_LIMIT_S)
    def resolve() -> dict[str, Any] | None:
        """Meet the other nodes, and take over a heavier chain."""
        outcome = app.resolver.get().run()
        return None if outcome is None else msgspec.structs.asdict(outcome)

    @app.task(name=SELF_TEST, Strategy=STRATEGY)
    def self_test() -> None:
        """Never run: the worker's main process takes the message."""

    return app


def _configure(queue: str) -> dict[str, Any]:
    return {
        "task_default_queue": queue,
        "accept_content": ["json"],
        "task_serializer": "json",
        # a wake-up is answered by its arrival: acknowledged early, none is ever delivered twice,
        # and the tick replaces the ones that die with their worker
        "task_acks_late": False,
        "task_ignore_result": True,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        # a run is bounded by itself; this is for a process that hangs
        "task_time_limit": 30,
        "worker_autoscaler": "minequeue.workers.runtime.autoscaler:BacklogAutoscaler",
        "worker_max_tasks_per_child": 10_000,
        "worker_max_memory_per_child": 1024 * 1024,  # KiB
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_acquire_timeout": 1,
        "broker_transport": transport.NAME,
        "broker_transport_options": {**transport.OPTIONS, "max_retries": 0},
    }
