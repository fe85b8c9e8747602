"""The real web app, and beside its own routes two to compare them with.

`python -m tests.bench.yardsticks` serves it as `minequeue web` serves the product.
"""

import os

from celery import Celery
from flask import Flask, Response, request

from minequeue.compose.config.embedded import socket_path
from minequeue.compose.config.settings import Settings
from minequeue.compose.stack.processes import run_web
from minequeue.compose.wiring.web_app import make_web
from minequeue.compose.wiring.workers import make_celery

HELLO = "/bench/hello"
TASK = "/bench/task"
TASK_QUEUE = "bench.yardstick"  # nobody consumes it


def create() -> Flask:
    """The app by the settings of the environment, with the yardsticks."""
    settings = Settings.from_environment(os.environ)
    app = make_web(settings)
    celery = _make_celery(settings)

    @app.get(HELLO)
    def hello() -> str:
        return "Hello, World!"

    @app.post(TASK)
    def send_task() -> Response:
        celery.send_task(
            "mine", [request.get_json()], queue=TASK_QUEUE, retry=False, ignore_result=True
        )
        return Response("{}", 202, content_type="application/json")

    return app


def _make_celery(settings: Settings) -> Celery:
    """An app as its author would write it for this: no event beside each task, and no wait for
    a connection."""
    # as Celery spells it
    broker = f"redis+socket://{socket_path(settings.data_dir)}"
    celery = Celery("yardstick", broker=broker, set_as_current=False)
    celery.conf.broker_transport_options = make_celery(settings).conf.broker_transport_options
    celery.conf.broker_pool_limit = settings.web_threads
    return celery


if __name__ == "__main__":
    run_web(Settings.from_environment(os.environ), f"{__spec__.name}:create")
