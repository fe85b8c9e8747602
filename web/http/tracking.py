"""A request that its client names or traces is tracked until it is in a block."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from minequeue.chain.errors import LedgerUnavailable, MinequeueError
from minequeue.chain.ledger import Trail
from minequeue.web.http import request_ids
from minequeue.web.replies.problems import Problem
from minequeue.web.services import services

TRACEPARENT = "HTTP_TRACEPARENT"  # in the WSGI environment, W3C Trace Context
_MAX_TRACEPARENT = 64  # characters; 55 in the version that there is
_log = logging.getLogger(__name__)


@contextmanager
def tracking(name: bytes, made: str, entries: int) -> Iterator[None]:
    """Name the request and, where it asks for that, track it; inside it goes on the queue.

    Args:
        name: its last transaction's id, 32 bytes, or its job.
        made: what names it where the client does not.
        entries: how many transactions it brings.

    Raises:
        Problem: the client's name cannot be used.
    """
    environ = request.environ
    request_ids.validate(environ)
    named = request_ids.name_by(environ, made)
    if not any(key in environ for key in services().asks):
        yield
        return
    traceparent = environ.get(TRACEPARENT, "")[:_MAX_TRACEPARENT]
    trail = Trail(named, traceparent, time.time_ns() // 10**6, entries)
    is_tracked = services().ledger.tracked_requests.track(name, trail)
    try:
        yield
    except LedgerUnavailable:
        raise  # it may be accepted all the same, and the server is not to be waited for twice
    except (MinequeueError, Problem):
        if is_tracked:
            services().ledger.tracked_requests.end([name])
        raise
    fields = {"request_id": named, "path": request.path, "entries": entries, "last": made}
    if not is_tracked:
        fields["not_tracked"] = "repeats another" if is_tracked is None else "too many are"
    _log.info("accepted", extra={"fields": fields})
