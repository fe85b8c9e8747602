"""Follows what was accepted to the chain: waits until the queue is empty, and reads everything."""

import http.client
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chain.errors import MinequeueError
from compose.chain_source import read_pages
from compose.direct import open_url

_PATIENCE_S = 10.0  # for one answer
_PERIOD_S = 0.25  # between two looks; a node tells nobody by itself that its queue is empty


class NotDrained(MinequeueError):
    """The queue did not become empty in time; wait longer, or start more workers."""


class NoAnswer(MinequeueError):
    """The node does not answer; start it, or correct the URL."""


def ask(url: str) -> Any:
    """The JSON that ``url`` answers.

    Raises:
        NoAnswer: none comes, or something else.
    """
    try:
        with open_url(url, timeout=_PATIENCE_S) as answer:
            return json.load(answer)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise NoAnswer(f"{url} does not answer as a node does ({reason}).") from None


def wait_until_drained(
    url: str,
    timeout_s: float,
    on_look: Callable[[dict[str, Any]], object] = lambda _queue: None,
) -> None:
    """Wait until all that was accepted is in blocks, also while the node dies and comes back.

    Args:
        url: the node's.
        timeout_s: the longest that it may take.
        on_look: hears each answer of GET /queue.

    Raises:
        NotDrained: it took longer.
    """
    deadline = time.monotonic() + timeout_s
    last = "it never answered"
    while time.monotonic() < deadline:
        try:
            queue = ask(f"{url}/queue")
        except NoAnswer as error:
            last = str(error)
        else:
            on_look(queue)
            if queue["depth"] == 0:
                return
            last = f"{queue['depth']} entries wait"
        time.sleep(_PERIOD_S)
    raise NotDrained(f"The queue did not become empty within {timeout_s:g} s: {last}.")


def read_chain(url: str) -> Iterator[dict[str, Any]]:
    """Each block of the node's chain, in order, in bounded memory.

    Raises:
        CannotRead: there is no chain to be read.
    """
    for page in read_pages(url, None):
        yield from page.read()


def read_jobs(url: str, jobs: Iterable[str]) -> dict[str, int]:
    """The index of the block of each of ``jobs`` that is done.

    Raises:
        NoAnswer: the node answers none, or does not know a job.
    """
    found = ((job, ask(f"{url}/jobs/{job}")) for job in jobs)
    return {job: answer["block"]["index"] for job, answer in found if answer["status"] == "done"}
