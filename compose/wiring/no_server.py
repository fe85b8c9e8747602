"""Why the ledger's server cannot be used, for whoever has just named it."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from minequeue.chain.errors import LedgerUnavailable, MinequeueError
from minequeue.chain.ledger.redis_client import explain


class NoServer(MinequeueError):
    """Redis cannot be used; start it or the stack, or correct MINEQUEUE_REDIS_URL."""


@contextmanager
def saying_why_no_server_answers() -> Iterator[None]:
    """Tell how the last try failed.

    Raises:
        NoServer: in place of LedgerUnavailable.
    """
    try:
        yield
    except LedgerUnavailable as error:
        cause = error.__cause__
        if not isinstance(cause, redis.RedisError):
            raise  # it answered, and the message is whole
        raise NoServer(
            f"Redis cannot be used ({explain(cause)}); "
            "start it or the stack, or correct MINEQUEUE_REDIS_URL."
        ) from error
