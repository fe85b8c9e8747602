"""The one place where parts meet: from settings to a ledger, a web app and a Celery app."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from chain.ledger import Ledger, connect
from chain.rules import Bounds, Rules
from chain.scaling import Policy
from compose.embedded import redis_url, socket_path
from compose.settings import Settings
from web.app import create_app
from web.combiner import Combiner
from web.doors import Doors
from web.parameters import MAX_PAGE
from web.refusals import Refusals
from web.services import Limits, Services
from web.waiting_room import WaitingRoom
from workers.app import Crew, WorkerApp, create_celery
from workers.bell import Bell, BellPull
from workers.kernels import Kernel, load_search
from workers.miner import Miner
from workers.peers.client import PeerClient
from workers.peers.http_node import HttpNode
from workers.peers.resolver import Resolver
from workers.peers.url import PeerUrl

_MAX_WAIT_S = 60  # the longest that an answer is held back
_WAITING_SHARE = 2  # one thread in so many may be held back, and in so many held by readers


def server_url(settings: Settings) -> str:
    """The ledger's server: the one that is named, else the embedded one of the data directory."""
    return settings.redis_url or redis_url(socket_path(settings.data_dir))


def make_ledger(settings: Settings) -> Ledger:
    """A ledger that has at least a genesis block.

    Raises:
        WrongNetwork: it holds another network's chain.
        WrongRules: its chain was begun with other rules.
        LedgerUnavailable: the server does not answer.
    """
    ledger = open_ledger(settings)
    ledger.mining.create_genesis()
    return ledger


def open_ledger(settings: Settings) -> Ledger:
    """A ledger as it is, perhaps without any block; nothing is sent yet."""
    return Ledger(
        connect(server_url(settings), wait_s=settings.redis_wait),
        Rules(
            network=settings.network,
            bits=settings.bits,
            block_interval_s=settings.block_interval,
            block_transactions=settings.block_transactions,
            block_bytes=settings.block_bytes,
            signed=settings.signatures == "required",
        ),
        Bounds(pending=settings.max_pending[0], pending_bytes=settings.max_pending[1]),
    )


@cache
def find_kernel(data_dir: Path) -> Kernel:
    """The fastest nonce search of this machine; found once, also for the processes forked later."""
    return load_search(data_dir.absolute() / "kernels")


def make_celery(settings: Settings) -> WorkerApp:
    """The Celery app, for workers, for Flower and to send wake-ups."""

    def make_crew(send: Callable[[], object]) -> Crew:
        ledger = make_ledger(settings)
        kernel = find_kernel(settings.data_dir)
        recipient = ledger.fleet.node_address(settings.node_address or None)
        return Crew(
            Miner(ledger, kernel.search, recipient),
            Bell(ledger, send, _policy(settings)),
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
    bell = Bell(ledger, celery.send_wake_up, _policy(settings))
    seats = max(1, settings.web_threads // _WAITING_SHARE)
    return create_app(
        Services(
            ledger=ledger,
            combiner=Combiner(ledger.mempool.submit, most=settings.max_batch),
            wake_miners=BellPull(bell.ring),
            wake_resolver=BellPull(celery.send_resolve),
            read_peer=lambda text: str(PeerUrl.parse(text)),
            refusals=Refusals(ledger.measuring.count_refusals),
            doors=Doors(settings.tokens, ledger.gates.charge),
            policy=_policy(settings),
            limits=Limits(
                body_bytes=settings.max_body,
                batch=settings.max_batch,
                page=MAX_PAGE,
                wait_s=_MAX_WAIT_S,
            ),
            waiting_room=WaitingRoom(seats),
            reading_room=WaitingRoom(seats),
        )
    )


def _policy(settings: Settings) -> Policy:
    least, most = settings.workers
    return Policy(least, most, settings.drain_time, settings.quiet_time)


def broker_url(settings: Settings) -> str:
    """The server's URL as kombu spells it."""
    url = server_url(settings)
    if urlsplit(url).scheme == "unix":
        return "redis+socket" + url.removeprefix("unix")
    return url
