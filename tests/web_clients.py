"""A client of the web tier over a ledger, without a server of HTTP."""

from collections.abc import Collection
from typing import Any

from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger
from minequeue.chain.peers.allow_list import Allowed
from minequeue.chain.scaling.policy import Policy
from minequeue.web.app import create_app
from minequeue.web.guard.access import Doors
from minequeue.web.guard.bodies import Bodies
from minequeue.web.guard.origins import Origins
from minequeue.web.guard.refusals import Refusals
from minequeue.web.guard.slots import WaitingRoom
from minequeue.web.guard.tokens import Tokens
from minequeue.web.intake.submissions import Intake
from minequeue.web.live import Live
from minequeue.web.services import Limits, Services

POLICY = Policy(least=0, most=2, target_drain_s=10, quiet_s=10)
PLAIN = {"sender": "alice", "recipient": "bob", "amount": 5}


class Rung:
    """A bell that counts how often it was pulled."""

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
        refusals=Refusals(ledger.measuring.count_refusals),
        doors=Doors(tokens, ledger.gates.charge, Origins(frozenset(hosts))),
        allowed=Allowed.parse(peer_allow),
        policy=POLICY,
        limits=all_limits,
        waiting_room=WaitingRoom(1),
        reading_room=WaitingRoom(readers),
        bodies=Bodies(seats=1),
        asks=asks,
        live=Live(ledger, POLICY),
        flower_url=flower_url,
    )
    return create_app(services).test_client()
