"""``minequeue simulate-scaling``: what was simulated, as a table, as JSON, and as a picture."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from minequeue.compose.config.settings import Settings
from minequeue.compose.simulation import plot
from minequeue.compose.simulation.run import Summary, simulate
from minequeue.compose.simulation.shapes import SHAPES
from minequeue.compose.simulation.world import World
from minequeue.compose.wiring.ledger import make_bounds, make_policy, make_rules


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


def run_simulation(world: World, shape: str, *, picture: Path | None, as_json: bool) -> None:
    """Simulate ``world`` under a load of the shape called so, and print what came of it."""
    samples, summary = simulate(world, SHAPES[shape])
    if picture is not None:
        plot.write(picture, samples, _describe(world, shape))
    if as_json:
        click.echo(json.dumps({"shape": shape, **asdict(summary)}))
    else:
        Console().print(_tabulate(world, shape, summary))


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
