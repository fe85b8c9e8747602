"""`make bench ARGS=NAME`: runs a benchmark."""

import sys
from importlib import import_module

import click

from minequeue.compose.cli.main import run_command

# each is a module of this package with a function measure() -> Report
NAMES = (
    "hash",
    "scaling",
    "submit",
    "drain",
    "connect",
    "scale",
    "check",
    "signatures",
    "reorganise",
    "pages",
    "lambda",
    "backup",
    "cost",
)


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def bench(name: str, as_json: bool) -> None:
    """Measure this machine.

    Each compares with a yardstick in the same run; let nothing else run meanwhile. The exit code is
    1 if a goal is missed.

    Example: make bench ARGS=hash
    """
    report = import_module(f"tests.bench.{name}").measure()
    report.show(as_json=as_json)
    sys.exit(0 if report.is_met else 1)


if __name__ == "__main__":
    run_command(bench)
