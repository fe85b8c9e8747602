"""Waiting for what happens in another process, with a bound."""

import time
from collections.abc import Callable

_PERIOD_S = 0.05  # another process's state cannot be waited for but by looking


def wait_for(happened: Callable[[], object], what: str, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
        time.sleep(_PERIOD_S)
