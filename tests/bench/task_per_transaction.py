"""The yardstick: a Celery task for each transaction, as the first design that comes to mind."""

import sys
from hashlib import sha256
from typing import Any

from celery import Celery

TASK = "take"
QUEUE = "task_per_transaction"


def make_app(broker_url: str) -> Celery:
    """The app, with the settings that lose the least: late acknowledgement, one task at a time."""
    app = Celery(QUEUE, broker=broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
    )

    @app.task(name=TASK)
    def take(transaction: str) -> str:
        return sha256(transaction.encode()).hexdigest()

    return app


def count_left(app: Celery) -> int:
    """How many messages wait."""
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel  # of the Redis transport, which has a client
        return int(channel.client.llen(QUEUE))


if __name__ == "__main__":
    make_app(sys.argv[1]).worker_main(["worker", "--concurrency=1", "--without-mingle"])
