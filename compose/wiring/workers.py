"""From settings to the Celery app, with what its tasks work with."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from minequeue.chain.ledger import Trail
from minequeue.chain.protocol.header import Header
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import make_ledger, make_policy, server_url
from minequeue.compose.wiring.tracing import trace_blocks
from minequeue.workers.kernels import Kernel, load_search
from minequeue.workers.mining.miner import Miner
from minequeue.workers.mining.report import Report
from minequeue.workers.peers.client import PeerClient
from minequeue.workers.peers.http_node import HttpNode
from minequeue.workers.peers.resolver import Resolver
from minequeue.workers.runtime.ticks import CALL_S
from minequeue.workers.runtime.wake_ups import WakeUps
from minequeue.workers.tasks import Crew, WorkerApp, create_celery

# Of the threads that search: they take every processor that is free, and whoever needs one for a
# moment only, the server and their own connections among them, should not wait for a turn.
_GIVES_WAY = 10
# what an image brings along, made by `python -m minequeue.compose.wiring.precompile`
INSTALLED_KERNELS = Path(sys.prefix) / "share" / "minequeue" / "kernels"


@cache
def find_kernel(data_dir: Path) -> Kernel:
    """The fastest nonce search of this machine; found once, also for the processes forked later."""
    return load_search(data_dir.absolute() / "kernels", INSTALLED_KERNELS)


def make_celery(settings: Settings) -> WorkerApp:
    """The Celery app, for workers, for Flower and to send wake-ups."""
    # of a request, that waits for its answer; nobody waits for a worker's
    hasty = replace(settings, redis_wait=min(settings.redis_wait, CALL_S))

    def make_crew(send: Callable[[], object]) -> Crew:
        ledger = make_ledger(hasty)
        kernel = find_kernel(settings.data_dir)
        trace = trace_blocks() if settings.traces else _trace_nothing
        recipient = ledger.fleet.node_address(settings.node_address or None)
        tell = Report(ledger, trace).tell

        def begin() -> None:
            ledger.announcements.listen()
            os.nice(_GIVES_WAY)  # on Linux this thread alone; those that there are keep theirs

        return Crew(
            Miner(ledger, kernel.search, recipient, tell=tell, begin=begin),
            WakeUps(ledger, send, make_policy(settings)),
            ledger.fleet,
            kernel.name,
        )

    def make_resolver() -> Resolver:
        client = PeerClient(settings.peer_allow, token=settings.token)
        return Resolver(
            make_ledger(hasty),
            lambda address: HttpNode(client, address, settings.signatures),
            settings.resolve_period,
        )

    queue = f"minequeue.{settings.network}"
    return create_celery(
        server_url(settings), queue, make_crew, make_resolver, liveness_dir(settings)
    )


def liveness_dir(settings: Settings) -> Path:
    """The directory of the workers' liveness files."""
    return settings.data_dir.absolute() / "alive"


def resolver_liveness_dir(settings: Settings) -> Path:
    """The one of the resolvers, whose life says nothing of any worker's."""
    return liveness_dir(settings) / "resolvers"


def _trace_nothing(_trail: Trail, _header: Header) -> None:
    """Nobody wants traces."""
