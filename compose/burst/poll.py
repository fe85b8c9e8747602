"""Follows what was accepted to the chain: waits until the queue is empty, and reads everything."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minequeue.chain.errors import MinequeueError
from minequeue.compose.check.chain_source import read_node
from minequeue.compose.client.node_client import NodeClient, NodeError
from minequeue.compose.client.queue_state import read_queue

_TIMEOUT_S = 10.0  # for one answer
_PERIOD_S = 0.25  # between two looks; a node tells nobody by itself that its queue is empty


class NotDrained(MinequeueError):
    """The queue did not become empty in time; wait longer, or start more workers."""


def wait_until_drained(
    url: str,
    timeout_s: float,
    on_look: Callable[[dict[str, Any]], object] = lambda _queue: None,
) -> None:
    """Wait until all that was accepted is in blocks, also while the node dies and comes back.

    Args:
        url: the node's.
        timeout_s: the longest that it may take.
        on_look: hears each answer of GET /queue; see :func:`compose.client.queue_state.read_queue`.

    Raises:
        NotDrained: it took longer.
    """
    client = NodeClient(url, patience_s=_TIMEOUT_S)
    deadline = time.monotonic() + timeout_s
    last = "it never answered"
    while time.monotonic() < deadline:
        try:
            queue = read_queue(client)
        except NodeError as error:
            last = str(error)
        else:
            on_look(queue)
            if queue["depth"] == 0:
                return
            last = f"{queue['depth']} entries wait"
        time.sleep(_PERIOD_S)
    raise NotDrained(f"The queue did not become empty within {timeout_s:g} s: {last}.")


def read_chain(url: str, wait_s: float = 0) -> Iterator[dict[str, Any]]:
    """Each block of the node's chain, in order, in bounded memory.

    Args:
        url: the node's.
        wait_s: for how long a page is asked for again, where the node has no room or is away.

    Raises:
        CannotRead: there is no chain to be read.
    """
    client = NodeClient(url, patience_s=_TIMEOUT_S)
    for page in read_node(client, wait_s=wait_s, is_missed=True):
        yield from page.read()


def read_jobs(url: str, jobs: Iterable[str], wait_s: float = 0) -> dict[str, int]:
    """The index of the block of each of ``jobs`` that is done.

    Args:
        url: the node's.
        jobs: by their ids.
        wait_s: as for :func:`read_chain`.

    Raises:
        NodeError: the node tells nothing, or does not know a job.
    """
    client = NodeClient(url, patience_s=_TIMEOUT_S)

    def read(job: str) -> Any:
        path = f"/jobs/{job}"
        return client.parse(client.insist("GET", path, wait_s=wait_s, is_missed=True))[1]

    found = ((job, read(job)) for job in jobs)
    return {job: answer["block"]["index"] for job, answer in found if answer["status"] == "done"}
