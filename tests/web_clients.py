"""A client of the web tier over a ledger, without a server of HTTP."""

from collections.abc import Collection
from typing import Any

from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger
from minequeue.chain.peers.allow_list import AllowList
from minequeue.chain.scaling.policy import Policy
from minequeue.web.app import create_app
from minequeue.web.guard.access import Access
from minequeue.web.guard.body_slots import BodySlots
from minequeue.web.guard.origins import Origins
from minequeue.web.guard.refusals import Refusals
from minequeue.web.guard.slots import Slots
from minequeue.web.guard.tokens import Tokens
from minequeue.web.intake.submissions import Intake
from minequeue.web.live import Live
from minequeue.web.services import Limits, Services

POLICY = Policy(least=0, most=2, target_drain_s=10, quiet_s=10)
PLAIN = {"sender": "alice", "recipient": "bob", "amount": 5}


class WakeUpCounter:
    """Counts how often the miners were woken."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def make_client(
    ledger: Ledger,
    wake: Any = lambda: None,
    *,
    readers: int = 100,
    tokens: Tokens = Tokens(),  # noqa: B008  # frozen
    hosts: Collection[str] = (),
    peer_allow: str = "127.0.0.0/8,::1/128",
    flower_url: str = ":5555",
    asks: tuple[str, ...] = ("HTTP_X_REQUEST_ID",),
    **limits: Any,
) -> FlaskClient:
    """A client; what is not said is small, so that a bound is soon reached."""
    all_limits = Limits(**{"body_bytes": 10_000, "batch": 5, "page": 3, "wait_s": 1, **limits})
    services = Services(
        ledger=ledger,
        intake=Intake(ledger, wake, max_batch=all_limits.batch),
        wake_resolver=wake,
        refusals=Refusals(ledger.metrics.count_refusals),
        access=Access(tokens, ledger.rate_limits.charge, Origins(frozenset(hosts))),
        allow_list=AllowList.parse(peer_allow),
        policy=POLICY,
        limits=all_limits,
        wait_slots=Slots(1),
        reader_slots=Slots(readers),
        body_slots=BodySlots(slots=1),
        asks=asks,
        live=Live(ledger, POLICY),
        flower_url=flower_url,
    )
    return create_app(services).test_client()
