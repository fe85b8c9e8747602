"""From settings to what the web tier's views work with; without Celery, as AWS Lambda has it."""

from collections.abc import Callable

from minequeue.chain.ledger import Ledger
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import make_policy
from minequeue.web.guard.access import Access
from minequeue.web.guard.body_slots import BodySlots
from minequeue.web.guard.origins import Origins
from minequeue.web.guard.refusals import Refusals
from minequeue.web.guard.slots import READERS, WAITERS, WRITERS, Slots
from minequeue.web.http.parameters import MAX_PAGE
from minequeue.web.http.request_ids import GIVEN
from minequeue.web.http.streams import SLOT_TIMEOUT_S, SLOW_S
from minequeue.web.http.tracking import TRACEPARENT
from minequeue.web.http.waiting import MAX_WAIT_S
from minequeue.web.intake.submissions import Intake
from minequeue.web.live import Live
from minequeue.web.services import Limits, Services


def make_services(
    settings: Settings,
    ledger: Ledger,
    *,
    wake_miners: Callable[[], None],
    wake_resolver: Callable[[], None],
    wait_s: float = MAX_WAIT_S,
) -> Services:
    """What the web tier's views work with.

    Args:
        settings: of the stack.
        ledger: chain and queue.
        wake_miners: tells the workers that there may be work; returns at once, never raises.
        wake_resolver: tells the resolver so.
        wait_s: the longest that an answer is held back.
    """
    eighth = settings.web_threads // 8
    return Services(
        ledger=ledger,
        intake=Intake(ledger, wake_miners, max_batch=settings.max_batch),
        wake_resolver=wake_resolver,
        refusals=Refusals(ledger.metrics.count_refusals),
        access=Access(
            settings.tokens, ledger.rate_limits.charge, Origins(frozenset(settings.hosts))
        ),
        allow_list=settings.peer_allow,
        policy=make_policy(settings),
        limits=Limits(
            body_bytes=settings.max_body,
            batch=settings.max_batch,
            page=MAX_PAGE,
            wait_s=wait_s,
        ),
        wait_slots=Slots(WAITERS * eighth),
        reader_slots=Slots(READERS * eighth, SLOW_S, SLOT_TIMEOUT_S),
        body_slots=BodySlots(WRITERS * eighth),
        asks=_name_what_asks(settings),
        live=Live(ledger, make_policy(settings)),
        flower_url=settings.flower_url or f":{settings.flower_port}",
    )


def _name_what_asks(settings: Settings) -> tuple[str, ...]:
    """What asks that a request is tracked into its block."""
    asks = {GIVEN: settings.track_requests, TRACEPARENT: settings.traces}
    return tuple(name for name, counts in asks.items() if counts)
