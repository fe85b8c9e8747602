"""The one place where parts meet: from settings to a ledger, a web app and a Celery app."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from flask import Flask

from chain.ledger import Trail
from chain.protocol.header import Header
from compose.rules import make_policy
from compose.settings import Settings
from compose.tracing import trace_blocks, trace_requests
from compose.web_wiring import make_ledger, make_services, server_url
from web.app import create_app
from web.aws.embedded_metrics import EmbeddedMetrics
from workers.kernels import Kernel, load_search
from workers.mining.miner import Miner
from workers.mining.report import Report
from workers.peers.client import PeerClient
from workers.peers.http_node import HttpNode
from workers.peers.resolver import Resolver
from workers.runtime.ticks import CALL_S
from workers.runtime.wake_ups import Bell, BellPull
from workers.tasks import Crew, WorkerApp, create_celery

# Of the threads that search: they take every processor that is free, and whoever needs one for a
# moment only, the server and their own connections among them, should not wait for a turn.
_GIVES_WAY = 10
# what an image brings along, made by `python -m compose.precompile`
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
            Bell(ledger, send, make_policy(settings)),
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
        server_url(settings), queue, make_crew, make_resolver, signs_path(settings)
    )


def signs_path(settings: Settings) -> Path:
    """The directory for the workers' signs of life."""
    return settings.data_dir.absolute() / "alive"


def resolver_signs_path(settings: Settings) -> Path:
    """The one of the resolvers, whose life says nothing of any worker's."""
    return signs_path(settings) / "resolvers"


def print_metrics(settings: Settings) -> None:
    """Begin to print the queue's figures for Amazon CloudWatch, in this process."""
    ledger = make_ledger(settings)
    policy = make_policy(settings)
    EmbeddedMetrics(lambda: ledger.queue.look(policy), ledger.rules, _print).start()


def _print(line: str) -> None:
    """One write, so that the lines of several processes do not mix."""
    os.write(sys.stdout.fileno(), line.encode())


def make_web(settings: Settings) -> Flask:
    """The web app."""
    ledger = make_ledger(settings)
    celery = make_celery(settings)
    bell = Bell(ledger, celery.send_wake_up, make_policy(settings))
    services = make_services(
        settings,
        ledger,
        wake_miners=BellPull(bell.ring),
        wake_resolver=BellPull(celery.send_resolve),
    )
    services.live.start()
    app = create_app(services)
    if settings.traces:
        app.wsgi_app = trace_requests(app.wsgi_app)  # type: ignore[assignment,method-assign]  # as Flask advises
    return app


def _trace_nothing(_trail: Trail, _header: Header) -> None:
    """Nobody wants traces."""
