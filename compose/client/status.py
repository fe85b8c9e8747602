"""``minequeue status``: what waits and who works on it, once or as it changes."""

import time
from collections import deque
from collections.abc import Collection
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from minequeue.chain.errors import MinequeueError
from minequeue.compose.client.node_client import NodeClient
from minequeue.compose.client.queue_state import read_queue
from minequeue.compose.client.submit import say
from minequeue.compose.text.terminal import escape

_PERIOD_S = 1.0
_SPAN = 60  # looks that the plots look back on
_BARS = " ▁▂▃▄▅▆▇█"
_SHOWN = {
    "depth": "entries wait",
    "oldest_age_s": "s, the oldest of them",
    "estimated_drain_s": "s until the queue is empty",
    "hash_rate": "hashes per second",
    "miners_busy": "miners at work",
    "miners_wanted": "miners wanted",
    "miners": "miners in the pools",
}
_PLOTTED = ("depth", "oldest_age_s", "hash_rate", "miners_busy")


def show_once(client: NodeClient, *, as_json: bool) -> None:
    """Print it.

    Raises:
        NodeError: the node does not tell.
    """
    say(read_queue(client), as_json=as_json)


def poll(client: NodeClient, *, as_json: bool) -> None:
    """Print it each second until Ctrl-C: a line of JSON, or a table that stays in its place.

    Raises:
        NodeError: the node does not tell at the beginning; later that is shown.
    """
    newest = read_queue(client)
    try:
        if as_json:
            while True:
                say(newest, as_json=True)
                time.sleep(_PERIOD_S)
                newest = read_queue(client)
        _poll_for_people(client, newest)
    except KeyboardInterrupt:
        return


def _poll_for_people(client: NodeClient, newest: Any) -> None:
    past: dict[str, deque[float]] = {name: deque(maxlen=_SPAN) for name in _PLOTTED}
    fault = ""
    with Live(console=Console(), refresh_per_second=4) as live:
        while True:
            for name, values in past.items():
                values.append(0.0 if fault else float(newest[name]))
            live.update(draw(newest, past, fault))
            time.sleep(_PERIOD_S)
            try:
                newest, fault = read_queue(client), ""
            except MinequeueError as error:
                fault = str(error)


def draw(newest: Any, past: dict[str, deque[float]], fault: str) -> Group:
    """The table of one look.

    Args:
        newest: what GET /queue told the last time.
        past: the last values of what is plotted, oldest first.
        fault: why the node did not tell this time, or "".
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    table.add_column(style="cyan", no_wrap=True)
    for name, text in _SHOWN.items():
        table.add_row(_write(newest[name]), text, plot(past.get(name, ())))
    tip = newest["tip"]
    newest_block = Text(
        f"blocks; the newest is {escape(tip['hash'][:16])}..."
    )  # no markup of rich's
    table.add_row(f"{tip['index']:,}", newest_block, "")
    return Group(table, Text(escape(fault) or "Ctrl-C ends", style="red" if fault else "dim"))


def plot(values: Collection[float]) -> str:
    """The values as bars, from 0 to the largest of them."""
    most = max(values, default=0) or 1
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] for value in values)


def _write(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
