"""`make chaos`: rounds of faults, or one of the other trials."""

import sys
from pathlib import Path
from typing import Any

import click

from minequeue.compose.cli.main import run_command
from tests.chaos.lost_replies import run_lost_replies
from tests.chaos.restarts import run_restarts
from tests.chaos.run import run_chaos
from tests.chaos.splits import run_splits

_DIR = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


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
def chaos(
    *,
    seed: int,
    resume_restarts: int | None,
    lost_replies: int | None,
    splits: int | None,
    data_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Kill, freeze, cut and fill what a stack consists of, under load, and look for every receipt.

    Starts stacks of its own on free ports. A round is a few faults, drawn from its seed; --seed S
    --rounds 1 plays it again. The exit code is 1 if a promise was broken.

    Example: make chaos ARGS="--rounds 20 --seed 1 --at-least 1"
    """
    if resume_restarts is not None:
        code = run_restarts(resume_restarts, seed, data_dir=data_dir, as_json=as_json)
    elif lost_replies is not None:
        code = run_lost_replies(lost_replies, data_dir=data_dir, as_json=as_json)
    elif splits is not None:
        code = run_splits(splits, seed, data_dir=data_dir, as_json=as_json)
    else:
        code = run_chaos(seed=seed, data_dir=data_dir, as_json=as_json, **options)
    sys.exit(code)


if __name__ == "__main__":
    run_command(chaos)
