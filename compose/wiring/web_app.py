"""Makes the web app in each process of the web server."""

import os
import sys

from flask import Flask

from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.cut_answers import shorten
from minequeue.compose.wiring.ledger import make_ledger, make_policy
from minequeue.compose.wiring.services import make_services
from minequeue.compose.wiring.tracing import trace_requests
from minequeue.compose.wiring.workers import make_celery
from minequeue.web.app import create_app
from minequeue.web.aws.embedded_metrics import EmbeddedMetrics
from minequeue.workers.runtime.wake_ups import WakeUps, WakeUpThread


def create() -> Flask:
    """The app by the settings of the environment."""
    shorten()
    settings = Settings.from_environment(os.environ)
    if settings.metrics_emf:
        print_metrics(settings)
    return make_web(settings)


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
    wake_ups = WakeUps(ledger, celery.send_wake_up, make_policy(settings))
    services = make_services(
        settings,
        ledger,
        wake_miners=WakeUpThread(wake_ups.wake),
        wake_resolver=WakeUpThread(celery.send_resolve),
    )
    services.live.start()
    app = create_app(services)
    if settings.traces:
        app.wsgi_app = trace_requests(app.wsgi_app)  # type: ignore[assignment,method-assign]  # as Flask advises
    return app
