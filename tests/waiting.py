"""Waiting for what happens in another process, with a bound."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PERIOD_S = 0.05  # another process's state cannot be waited for but by looking


def wait_for(happened: Callable[[], T | None], what: str, timeout_s: float = 60) -> T:
    """Wait until ``happened`` gives something true, and give it on."""
    deadline = time.monotonic() + timeout_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
        time.sleep(_PERIOD_S)
    return found
