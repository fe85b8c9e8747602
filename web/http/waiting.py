"""Holding an answer back until a job is done, as ``Prefer: wait`` asks for."""

from collections.abc import Callable
from typing import TypeVar

from minequeue.chain.ledger import Pending
from minequeue.web.http.requests import read_wait_s
from minequeue.web.services import services

T = TypeVar("T")
MAX_WAIT_S = 60  # the longest that an answer is held back


def wait_for(find: Callable[[], T | Pending | None]) -> T | None:
    """What ``find`` gives once it is no longer pending.

    Returns:
        None where the request does not want to wait, where it takes longer, or where too many wait
        already.
    """
    wait_s = read_wait_s()
    if not wait_s:
        return None

    def is_done() -> bool:
        return not isinstance(find(), Pending)

    with services().wait_slots.hold() as entered:
        if entered:
            announcements = services().ledger.announcements
            announcements.wait_until(is_done, min(wait_s, services().limits.wait_s))
    found = find()
    return None if isinstance(found, Pending) else found
