"""``minequeue burst``: a load, and what became of it."""

import sys
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("url", default="http://127.0.0.1:3000")
@click.option("--requests", default=5000, show_default=True, help="Number of requests.")
@click.option("--concurrency", default=50, show_default=True, help="Number of concurrent requests.")
@click.option("--submit", default=97.0, show_default=True, help="Weight of POST /chain/new.")
@click.option("--mine", default=1.0, show_default=True, help="Weight of GET /chain/mine.")
@click.option("--read", default=2.0, show_default=True, help="Weight of GET /chain, one page.")
@click.option("--bursts", default=1, show_default=True, help="Number of bursts.")
@click.option("--pause", default=10.0, show_default=True, help="Seconds between two bursts.")
@click.option(
    "--retry", is_flag=True, help="Repeat rejected and unanswered requests until they are accepted."
)
@click.option("--seed", type=int, help="Determines order and names; by default random.")
@click.option("--file", type=_FILE, help="NDJSON file of transactions; only these are sent.")
@click.option("--receipts", type=_FILE, help="File for the receipts, as NDJSON.")
@click.option("--wait", default=600.0, show_default=True, help="Seconds to wait for the chain.")
@click.option("--yes-i-own-this", "is_owned", is_flag=True, help="Allow a URL of another machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def burst(**options: Any) -> None:
    """Send a burst to a node, and look for every receipt in its chain.

    The exit code is 1 if an accepted transaction is not in the chain, or is there twice; if a
    request was rejected for another reason than lack of room; or if none was accepted. The command
    sends MINEQUEUE_TOKEN to the node.

    Example: minequeue burst http://127.0.0.1:3000 --requests 75000 --concurrency 100
    """
    from minequeue.compose.burst.command import run_burst
    from minequeue.compose.burst.options import read_options

    sys.exit(run_burst(**read_options(options)))


COMMANDS = (burst,)
