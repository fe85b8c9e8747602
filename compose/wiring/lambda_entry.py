"""Makes the function of AWS Lambda by the settings of the environment."""

import os

from minequeue.compose.config.settings import Settings
from minequeue.compose.errors import StartRefused
from minequeue.compose.wiring.ledger import open_ledger
from minequeue.compose.wiring.objects import S3Objects
from minequeue.compose.wiring.services import make_services
from minequeue.web.app import create_app
from minequeue.web.aws.function import Function

_WAIT_S = 10  # the longest that an answer is held back; API Gateway waits for 29 s


def make_handler() -> Function:
    """The function, ready for its first event if the server answers.

    Raises:
        BadSetting: see :class:`Settings`.
        StartRefused: no server is named.
        UnusableLedger: it holds another chain than these settings say.
    """
    settings = Settings.from_environment(os.environ)
    if not settings.redis_url:
        raise StartRefused("A function has no server of its own; name one in MINEQUEUE_REDIS_URL.")
    ledger = open_ledger(settings)
    services = make_services(
        settings,
        ledger,
        wake_miners=_leave_it_to_the_tick,
        wake_resolver=_leave_it_to_the_tick,
        wait_s=_WAIT_S,
    )
    function = Function(
        create_app(services),
        services,
        open_object=S3Objects().open,
        begin=ledger.open,
        is_open=bool(settings.tokens) or settings.open_to_all,
    )
    function.begin()
    return function


def _leave_it_to_the_tick() -> None:
    """Send no wake-up: each worker looks at the queue every second, which saves Celery here."""
