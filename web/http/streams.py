"""Answers to readers who may not read: in slots, since each keeps a thread and memory.

The server keeps an answer until its reader has taken it. So one that is large is handed to it in
parts, the next only when the last was sent; and however many readers there are, no more of them
have a large answer than there are slots.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flask import Response, g, request

from minequeue.web.replies.problems import Problem
from minequeue.web.services import services

PART_BYTES = 64 * 1024  # of an answer that is handed on at once
SLOW_S = 1.0  # a reader that takes longer for an answer is not waited for
SLOT_TIMEOUT_S = 30.0  # for a slot, while those who have one wait for the queue or read quickly
_MAX_ENTRIES = PART_BYTES // 512  # of a batch whose receipts are no large answer


def stream(parts: Iterable[bytes], content_type: str) -> Response:
    """Answer ``parts`` one after the other, in a slot.

    Raises:
        Problem: there is none.
    """
    return _send(Response(parts, content_type=content_type), _take_slot())


def bound(answer: Response) -> Response:
    """Send ``answer`` in parts and in a slot if it is large.

    Raises:
        Problem: there is no slot.
    """
    size = answer.calculate_content_length() if answer.is_sequence else None
    if size is None or size <= PART_BYTES or request.method == "HEAD":
        return answer
    slot = g.pop("slot", None) or _take_slot()
    services().reader_slots.start(slot)
    headers = answer.headers
    headers["Content-Length"] = str(size)
    return _send(Response(_cut(answer.get_data()), answer.status, headers), slot)


def reserve(entries: int) -> None:
    """Take the slot that the answer to a batch of so many entries needs, if it needs one.

    Afterwards it is too late to refuse: the batch is on the queue.

    Raises:
        Problem: there is no slot.
    """
    if entries > _MAX_ENTRIES and "slot" not in g:
        g.slot = _take_slot(for_later=True)


def give_back(_: BaseException | None) -> None:
    """Give back the slot that was reserved, at the end of a request that did not need it."""
    if slot := g.pop("slot", None):
        services().reader_slots.release(slot)


@contextmanager
def hold_slot() -> Iterator[None]:
    """Have a slot, for what takes a while to make.

    Raises:
        Problem: there is none.
    """
    with services().reader_slots.hold() as has_slot:
        if not has_slot:
            raise _too_many_readers()
        yield


def _take_slot(*, for_later: bool = False) -> object:
    slot = services().reader_slots.acquire(for_later=for_later)
    if slot is None:
        raise _too_many_readers()
    return slot


def _send(answer: Response, slot: object) -> Response:
    slots = services().reader_slots
    answer.call_on_close(lambda: slots.release(slot))  # also if the reader goes away in the middle
    return answer


def _cut(body: bytes) -> Iterator[bytes]:
    content = memoryview(body)
    return (bytes(content[at : at + PART_BYTES]) for at in range(0, len(body), PART_BYTES))


def _too_many_readers() -> Problem:
    return Problem(
        429,
        "too-many-readers",
        "Too many readers",
        "Too many clients are reading large answers. Repeat the request later, or ask for less: "
        "headers, smaller pages, smaller batches.",
    )
