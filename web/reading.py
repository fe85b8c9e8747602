"""Answers that last as long as their reader likes: on seats, since each keeps a thread."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flask import Response

from web.problems import Problem
from web.services import services


def stream(parts: Iterable[bytes], content_type: str) -> Response:
    """Answer ``parts`` one after the other, from a seat.

    Raises:
        Problem: there is none.
    """
    room = services().reading_room
    if not room.take():
        raise _too_many_readers()
    answer = Response(parts, content_type=content_type)
    answer.call_on_close(room.leave)  # also where the reader goes away in the middle
    return answer


@contextmanager
def sit() -> Iterator[None]:
    """Have a seat, for what takes a while to make.

    Raises:
        Problem: there is none.
    """
    with services().reading_room.enter() as seated:
        if not seated:
            raise _too_many_readers()
        yield


def _too_many_readers() -> Problem:
    return Problem(
        429,
        "too-many-readers",
        "Too many readers",
        "As many read the chain as this process has room for; ask again later, or read its headers "
        "and single blocks.",
    )
