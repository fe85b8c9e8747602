"""What the views work with, put together by compose and handed to the app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from minequeue.chain.ledger import Ledger
from minequeue.chain.peers.allow_list import Allowed
from minequeue.chain.scaling.policy import Policy
from minequeue.web.guard.access import Doors
from minequeue.web.guard.bodies import Bodies
from minequeue.web.guard.refusals import Refusals
from minequeue.web.guard.slots import WaitingRoom
from minequeue.web.intake.submissions import Intake
from minequeue.web.live import Live

_EXTENSION = "minequeue"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for.

    Attributes:
        body_bytes: the largest body.
        batch: the most entries of a batch.
        page: the most blocks of a page.
        wait_s: the longest that an answer is held back for ``Prefer: wait``.
    """

    body_bytes: int
    batch: int
    page: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Services:
    """The web tier's surroundings.

    Attributes:
        ledger: chain and queue.
        intake: reads transactions and puts them on the queue.
        wake_resolver: tells the resolver that there may be work; returns at once, never raises.
        refusals: counts them.
        doors: who may do what.
        allowed: which other nodes may be called.
        policy: how many miners there should be.
        limits: of one request.
        waiting_room: for the answers that are held back.
        reading_room: for the answers that last as long as their reader likes.
        bodies: reads them.
        asks: the variables of the WSGI environment of which one asks that a request is followed.
        live: what live pages show.
        flower_url: where Flower is for a browser; ":PORT" for a port of the host that it asked.
    """

    ledger: Ledger
    intake: Intake
    wake_resolver: Callable[[], None]
    refusals: Refusals
    doors: Doors
    allowed: Allowed
    policy: Policy
    limits: Limits
    waiting_room: WaitingRoom
    reading_room: WaitingRoom
    bodies: Bodies
    asks: tuple[str, ...]
    live: Live
    flower_url: str


def provide(app: Flask, provided: Services) -> None:
    """Give ``app`` the services that its views work with."""
    app.extensions[_EXTENSION] = provided


def services() -> Services:
    """The services of the app that handles this request."""
    return cast(Services, current_app.extensions[_EXTENSION])
