"""Loads, measurements and faults."""

import sys
from pathlib import Path
from typing import Any

import click

from minequeue.compose.cli.options import settings_options
from minequeue.compose.config.settings import Settings
from minequeue.compose.simulation.shapes import SHAPES

_FILE = click.Path(dir_okay=False, path_type=Path)
_DIR = click.Path(file_okay=False, path_type=Path)
_POSITIVE = click.FloatRange(0, min_open=True)


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def bench(name: str, as_json: bool) -> None:
    """Measure this machine.

    NAME is hash, scaling, submit, drain, connect, scale, check, signatures, reorganise, pages,
    lambda, backup or cost.
    Each compares with a yardstick in the same run; let nothing else run meanwhile. The exit code is
    1 if a goal is missed. Needs the source checkout and what `make test` installs.

    Example: minequeue bench hash
    """
    from minequeue.compose.bench import run_bench

    sys.exit(run_bench(name, as_json=as_json))


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


@click.command()
@click.option(
    "--requests", default=75000, show_default=True, help="Number of requests to each design."
)
@click.option("--report", type=_FILE, help="HTML file for both timelines, side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print both results as JSON.")
def experiment(requests: int, report: Path | None, as_json: bool) -> None:
    """Send one burst at this design and at the one that mines inside the request.

    Starts both on free ports, sends burst, pause, burst, and looks for every receipt. The exit code
    is 1 if this design gave an answer of 500 or above, or lost or doubled anything. Needs the
    source checkout and what `make test` installs.

    Example: minequeue experiment --requests 20000 --report report.html
    """
    from minequeue.compose.checkout import import_from_checkout

    run = import_from_checkout("tests.chaos.experiment").run_experiment
    sys.exit(run(requests, report, as_json=as_json))


@click.command()
@click.argument("shape", type=click.Choice([*SHAPES]))
@settings_options("workers", "fleet", "bits", "drain_time", "quiet_time")
@click.option(
    "--rate",
    type=_POSITIVE,
    default=60_000.0,
    show_default=True,
    help="Peak of requests per minute.",
)
@click.option(
    "--minutes",
    type=_POSITIVE,
    default=10.0,
    show_default=True,
    help="Minutes in which requests arrive.",
)
@click.option(
    "--mine-share",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of mine requests.",
)
@click.option(
    "--hash-rate",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="Hashes per second of each miner.",
)
@click.option(
    "--start-delay",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    help="Seconds until a started miner works.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of all random numbers.")
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="SVG file for a plot of load, depth and miners.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def simulate_scaling(
    settings: Settings, shape: str, picture: Path | None, as_json: bool, **assumed: Any
) -> None:
    """Try the scaling policy on an imagined load and fleet.

    SHAPE is the shape of the load over time. The settings give all values without an option.

    Example: minequeue simulate-scaling burst --workers 0,1000 --rate 1000000 --plot burst.svg
    """
    from minequeue.compose.simulation.command import make_world, run_simulation

    world = make_world(settings, **assumed)
    run_simulation(world, shape, picture=picture, as_json=as_json)


@click.command()
@click.option("--rounds", default=10, show_default=True, help="How many.")
@click.option("--seed", default=1, show_default=True, help="Of the first round; then one up.")
@click.option("--at-least", default=0, show_default=True, help="How often each fault must happen.")
@click.option("--strict", is_flag=True, help="Fail for a fault that this machine does not allow.")
@click.option("--resume-restarts", type=int, help="Instead: so many restarts of the server.")
@click.option("--lost-replies", type=int, help="Instead: so many replies lost to the ledger.")
@click.option("--splits", type=int, help="Instead: three nodes, cut apart and joined so often.")
@click.option("--data-dir", type=_DIR, help="Where stacks keep their data; else a new directory.")
@click.option("--report", type=_FILE, help="HTML file to write, with the faults in it.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def chaos(**options: Any) -> None:
    """Kill, freeze, cut and fill what a stack consists of, under load, and look for every receipt.

    Starts stacks of its own on free ports. A round is a few faults, drawn from its seed; --seed S
    --rounds 1 plays it again. The exit code is 1 if a promise was broken. Needs the source checkout
    and what `make test` installs.

    Example: minequeue chaos --rounds 20 --seed 1 --at-least 1
    """
    from minequeue.compose.checkout import import_from_checkout

    sys.exit(import_from_checkout("tests.chaos.command").run(**options))


COMMANDS = (bench, burst, experiment, simulate_scaling, chaos)
