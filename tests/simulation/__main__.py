"""`make simulate`: what was simulated, as a table, as JSON, and as a picture."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from minequeue.compose.cli.main import run_command
from minequeue.compose.cli.options import settings_options
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import make_bounds, make_policy, make_rules
from tests.simulation import plot
from tests.simulation.run import Summary, simulate
from tests.simulation.shapes import SHAPES
from tests.simulation.world import World

_POSITIVE = click.FloatRange(0, min_open=True)


@click.command()
@click.argument("shape", type=click.Choice([*SHAPES]))
@settings_options("miners", "fleet", "bits", "target_drain_time", "quiet_time")
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
def simulation(
    settings: Settings, shape: str, picture: Path | None, as_json: bool, **options: Any
) -> None:
    """Try the scaling policy on an imagined load and fleet.

    SHAPE is the shape of the load over time. The settings give all values without an option.

    Example: make simulate ARGS="burst --miners 0,1000 --rate 1000000 --plot burst.svg"
    """
    world = make_world(settings, **options)
    samples, summary = simulate(world, SHAPES[shape])
    if picture is not None:
        plot.write(picture, samples, _describe(world, shape))
    if as_json:
        click.echo(json.dumps({"shape": shape, **asdict(summary)}))
    else:
        Console().print(_tabulate(world, shape, summary))


def make_world(
    settings: Settings,
    *,
    rate: float,
    minutes: float,
    mine_share: float,
    hash_rate: int,
    start_delay: float,
    seed: int,
) -> World:
    """The world of these settings under a load of ``rate`` requests a minute at most."""
    return World(
        rules=make_rules(settings),
        bounds=make_bounds(settings),
        policy=make_policy(settings),
        requests_per_minute=rate,
        load_s=minutes * 60,
        mine_share=mine_share,
        hash_rate=hash_rate,
        start_delay_s=start_delay,
        seed=seed,
    )


def _describe(world: World, shape: str) -> str:
    return (
        f"{shape}: up to {world.requests_per_minute:,.0f} requests a minute, "
        f"{world.policy.least} to {world.policy.most} miners"
    )


def _tabulate(world: World, shape: str, summary: Summary) -> Table:
    table = Table(title=_describe(world, shape), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    target_s = world.policy.target_drain_s
    for name, value in (
        ("requests: arrived", f"{summary.arrived:,}"),
        ("mined", f"{summary.mined:,}"),
        ("refused, the queue was full", f"{summary.refused:,}"),
        ("queued at the end", f"{summary.queued:,}"),
        ("blocks", f"{summary.blocks:,}"),
        ("peak depth", f"{summary.peak_depth:,}"),
        ("longest age of the oldest", f"{summary.longest_age_s:,.1f} s"),
        (f"time with an oldest above {target_s:g} s", f"{summary.over_target_s:,.1f} s"),
        ("most miners", f"{summary.peak_miners:,}"),
        ("miner-seconds", f"{summary.miner_s:,.0f}"),
        ("miner-seconds of pure search", f"{summary.ideal_miner_s:,.0f}"),
        ("scale-outs, scale-ins", f"{summary.scale_outs}, {summary.scale_ins}"),
        ("changes of direction", f"{summary.turns}"),
        ("ended after", f"{summary.ended_s:,.1f} s"),
    ):
        table.add_row(name, value)
    return table


if __name__ == "__main__":
    run_command(simulation)
