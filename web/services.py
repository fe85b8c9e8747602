"""What the views work with, put together by compose and handed to the app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from minequeue.chain.ledger import Ledger
from minequeue.chain.peers.allow_list import AllowList
from minequeue.chain.scaling.policy import Policy
from minequeue.web.guard.access import Access
from minequeue.web.guard.body_slots import BodySlots
from minequeue.web.guard.refusals import Refusals
from minequeue.web.guard.slots import Slots
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
        access: who may do what.
        allow_list: which other nodes may be called.
        policy: how many miners there should be.
        limits: of one request.
        wait_slots: for the answers that are held back.
        reader_slots: for the answers that last as long as their reader likes.
        body_slots: reads them.
        asks: the variables of the WSGI environment of which one asks that a request is tracked.
        live: what live pages show.
        flower_url: where Flower is for a browser; ":PORT" for a port of the host that it asked.
    """

    ledger: Ledger
    intake: Intake
    wake_resolver: Callable[[], None]
    refusals: Refusals
    access: Access
    allow_list: AllowList
    policy: Policy
    limits: Limits
    wait_slots: Slots
    reader_slots: Slots
    body_slots: BodySlots
    asks: tuple[str, ...]
    live: Live
    flower_url: str


def provide(app: Flask, provided: Services) -> None:
    """Give ``app`` the services that its views work with."""
    app.extensions[_EXTENSION] = provided


def services() -> Services:
    """The services of the app that handles this request."""
    return cast(Services, current_app.extensions[_EXTENSION])
