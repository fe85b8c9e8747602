"""The one place where parts meet: from settings to a ledger, a web app and a Celery app."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from compose.settings import Settings
from compose.web_wiring import make_ledger, make_policy, make_services, server_url
from web.app import create_app
from workers.app import Crew, WorkerApp, create_celery
from workers.bell import Bell, BellPull
from workers.kernels import Kernel, load_search
from workers.miner import Miner
from workers.peers.client import PeerClient
from workers.peers.http_node import HttpNode
from workers.peers.resolver import Resolver

# what an image brings along, made by `python -m compose.precompile`
INSTALLED_KERNELS = Path(sys.prefix) / "share" / "minequeue" / "kernels"


@cache
def find_kernel(data_dir: Path) -> Kernel:
    """The fastest nonce search of this machine; found once, also for the processes forked later."""
    return load_search(data_dir.absolute() / "kernels", INSTALLED_KERNELS)


def make_celery(settings: Settings) -> WorkerApp:
    """The Celery app, for workers, for Flower and to send wake-ups."""

    def make_crew(send: Callable[[], object]) -> Crew:
        ledger = make_ledger(settings)
        kernel = find_kernel(settings.data_dir)
        recipient = ledger.fleet.node_address(settings.node_address or None)
        return Crew(
            Miner(ledger, kernel.search, recipient),
            Bell(ledger, send, make_policy(settings)),
            ledger.fleet,
            kernel.name,
        )

    def make_resolver() -> Resolver:
        client = PeerClient(settings.peer_allow, token=settings.token)
        return Resolver(
            make_ledger(settings),
            lambda address: HttpNode(client, address, settings.signatures),
            settings.resolve_period,
        )

    queue = f"minequeue.{settings.network}"
    return create_celery(
        broker_url(settings), queue, make_crew, make_resolver, signs_path(settings)
    )


def signs_path(settings: Settings) -> Path:
    """The directory for the workers' signs of life."""
    return settings.data_dir.absolute() / "alive"


def resolver_signs_path(settings: Settings) -> Path:
    """The one of the resolvers, whose life says nothing of any worker's."""
    return signs_path(settings) / "resolvers"


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
    return create_app(services)


def broker_url(settings: Settings) -> str:
    """The server's URL as kombu spells it."""
    url = server_url(settings)
    if urlsplit(url).scheme == "unix":
        return "redis+socket" + url.removeprefix("unix")
    return url
