"""GET /queue as the commands read it: what they count and show has the kind that they expect."""

from typing import Any

import msgspec

from minequeue.compose.client.node_client import NodeAway, NodeClient


class _Tip(msgspec.Struct):
    index: int
    hash: str


class _Queue(msgspec.Struct):
    depth: int
    oldest_age_s: float
    estimated_drain_s: float | None
    hash_rate: float
    miners: int
    miners_busy: int
    miners_wanted: int
    tip: _Tip


def read_queue(client: NodeClient) -> dict[str, Any]:
    """What the node says of its queue; numbers are numbers, and more may stand there.

    Raises:
        NodeError: it says nothing, or no node answers there.
    """
    told: dict[str, Any] = client.call("GET", "/queue")[1]
    try:
        msgspec.convert(told, _Queue)
    except msgspec.ValidationError as error:
        raise NodeAway(f"{client.url} is no node: of GET /queue, {error}.") from None
    return told


class Limits(msgspec.Struct):
    """What one submission of a command may hold.

    Attributes:
        batch: transactions.
        body_bytes: bytes.
    """

    batch: int
    body_bytes: int


# few enough for any node that does not tell; more at once would gain nothing and be held in memory
_DEFAULT = Limits(1000, 2**20)
_MAX = Limits(1000, 8 * 2**20)


def read_limits(client: NodeClient) -> Limits:
    """The bounds of the node, as far as they are of use.

    Raises:
        NodeError: see :meth:`NodeClient.insist`.
    """
    told = client.parse(client.insist("GET", "/queue"))[1]
    try:
        limits = msgspec.convert(told["limits"], Limits)
    except (msgspec.ValidationError, KeyError, TypeError):
        return _DEFAULT
    return Limits(
        max(1, min(limits.batch, _MAX.batch)), max(1, min(limits.body_bytes, _MAX.body_bytes))
    )
