"""The parts of a stack, and all of them together."""

import os
from pathlib import Path

import click

from minequeue.compose.cli.options import settings_options
from minequeue.compose.config.inherited import long_running
from minequeue.compose.config.settings import Settings

_name = click.option(
    "--name", default=None, help="Unique among the workers; by default host and process id."
)
_check = click.option(
    "--check", is_flag=True, help="Only check whether it works: exit code 0 if so, else 1."
)


@click.command()
@settings_options("port", "data_dir", "miners", "host", "flower_port", "peer_allow")
@long_running
def up(settings: Settings) -> None:
    """Start everything on this machine: server, web tier, workers, resolver, Flower.

    Example: minequeue up --port 3000 --miners 1,4
    """
    from minequeue.compose.stack.up import run_up

    run_up(settings)


@click.command()
@settings_options("port", "host")
@long_running
def web(settings: Settings) -> None:
    """Serve HTTP.

    Example: MINEQUEUE_REDIS_URL=redis://ledger:6379 minequeue web
    """
    from minequeue.compose.stack.processes import run_web

    run_web(settings)


@click.command()
@settings_options("miners", "data_dir")
@_name
@_check
@long_running
def worker(settings: Settings, name: str | None, check: bool) -> None:
    """Mine the queue.

    --check is for the probe of a container. It succeeds if the worker of this name, or any worker
    of this data directory, has read its queue in the last seconds, or if the server is away, which
    no restart of a worker can fix.

    Example: MINEQUEUE_REDIS_URL=redis://ledger:6379 minequeue worker --autoscale 1,8
    """
    from minequeue.compose.stack.processes import check_worker, run_worker

    if check:
        check_worker(settings, name)
        return
    run_worker(settings, name or f"worker-{os.getpid()}")


@click.command()
@settings_options("data_dir", "peer_allow")
@_name
@_check
@long_running
def resolver(settings: Settings, name: str | None, check: bool) -> None:
    """Follow the other nodes: take over a heavier chain, and announce ours.

    This is the only part that calls other nodes. One is enough; a second one waits.

    Example: minequeue resolver --peer-allow 10.2.0.0/16,node-b.example
    """
    from minequeue.compose.stack.processes import check_resolver, run_resolver

    if check:
        check_resolver(settings, name)
        return
    run_resolver(settings, name or f"resolver-{os.getpid()}")


@click.command()
@settings_options("flower_port", "host")
@click.option("--history", type=click.Path(path_type=Path), help="File for its history.")
@long_running
def flower(settings: Settings, history: Path | None) -> None:
    """Watch the workers in a browser.

    Example: MINEQUEUE_REDIS_URL=redis://ledger:6379 minequeue flower
    """
    from minequeue.compose.stack.processes import run_flower

    run_flower(settings, history)


COMMANDS = (up, web, worker, resolver, flower)
