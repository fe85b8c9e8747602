"""`make experiment`: burst, pause, burst at this design and at the synchronous one."""

import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from minequeue.chain.errors import MinequeueError
from minequeue.compose.burst.client import send
from minequeue.compose.burst.plan import Plan, make_actions
from minequeue.compose.burst.poll import read_chain, read_jobs, wait_until_drained
from minequeue.compose.burst.record import Answer, Record
from minequeue.compose.burst.verdict import judge
from minequeue.compose.cli.main import run_command
from tests.chaos.ancestor import run_ancestor
from tests.chaos.report import Run, tabulate, write_report
from tests.chaos.synchronous import Block, is_valid_chain
from tests.chaos.timeline import Timeline
from tests.stack import Stack

_CONCURRENCY = 100  # as the article's `ab -c 100`
_PAUSE_S = 10.0  # between the bursts
_DRAIN_S = 1200.0  # far more than any machine should need
_SEED_BITS = 48
_WIDTH = 100  # characters of the table


@click.command()
@click.option(
    "--requests", default=75000, show_default=True, help="Number of requests to each design."
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="HTML file for both timelines, side by side.",
)
@click.option("--json", "as_json", is_flag=True, help="Print both results as JSON.")
def experiment(requests: int, report: Path | None, as_json: bool) -> None:
    """Send one burst at this design and at the one that mines inside the request.

    Starts both on free ports, sends burst, pause, burst, and looks for every receipt. The exit code
    is 1 if this design gave an answer of 500 or above, or lost or doubled anything.

    Example: make experiment ARGS="--requests 20000 --report report.html"
    """
    plan = Plan(
        requests=requests,
        concurrency=_CONCURRENCY,
        submit=0.97,
        mine=0.01,
        read=0.02,
        bursts=2,
        pause_s=_PAUSE_S,
        seed=secrets.randbits(_SEED_BITS),
    )
    try:
        ours, ancestor = _try_queue(plan), _try_synchronous(plan)
    except AssertionError as error:  # what the tests wait with says it so
        raise MinequeueError(f"The experiment could not be carried out: {error}") from None
    runs = [ours, ancestor]
    if report:
        write_report(report, runs, f"{requests:,} requests in two bursts, at two designs")
    click.echo(json.dumps([run.as_json() for run in runs]) if as_json else _describe(runs))
    sys.exit(0 if is_kept(ours) else 1)


def is_kept(run: Run) -> bool:
    """Whether a run kept every promise: no 5xx, no loss, no double, a valid chain."""
    return bool(
        run.verdict and run.verdict.is_kept and run.is_valid and not run.count_classes()["5xx"]
    )


def _try_queue(plan: Plan) -> Run:
    """At a stack of its own, which begins with one miner."""
    with tempfile.TemporaryDirectory(prefix="minequeue-") as directory:
        # blocks as by default, and not the small ones of the acceptance tests
        stack = Stack(Path(directory) / "data", bits="20", block_interval="5", miners="1,4")
        try:
            stack.start()
            run = _burst("queue and workers", stack.url, stack.url, plan)
            run.verdict = judge(
                run.record, read_chain(stack.url), read_jobs(stack.url, run.record.jobs)
            )
            checked = json.loads(stack.run("check", stack.url, "--json").stdout)
            run.is_valid, run.blocks = checked["valid"], checked.get("blocks", 0)
        finally:
            stack.stop()
    return run


def _try_synchronous(plan: Plan) -> Run:
    with run_ancestor() as ancestor:
        run = _burst("mining inside the request", ancestor.url, "", plan)
        ancestor.mine_the_rest()
        chains = sorted(ancestor.read_chains(), key=len, reverse=True)
    names = {action.key: action.id for action in make_actions(plan) if action.id}
    run.verdict = judge(run.record, identify(chains[0], names))
    run.is_valid, run.blocks = is_valid_chain(chains[0]), len(chains[0])
    anywhere = judge(run.record, [block for c in chains for block in identify(c, names)])
    lengths = " and ".join(f"{len(chain):,}" for chain in chains)
    run.notes.append(
        f"The two replicas hold different chains, of {lengths} blocks. Lost is what is not in the "
        f"longer one, which this design's rule for conflicts keeps; {anywhere.lost:,} accepted "
        "transactions are in neither, after a last mine request to each."
    )
    return run


def identify(chain: list[Block], names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The blocks with ids; the ancestor gives none, but each recipient is of one request."""
    for block in chain:
        yield {
            "transactions": [
                {"id": names.get(entry["recipient"], entry["recipient"]), "sender": entry["sender"]}
                for entry in block["transactions"]
            ]
        }


def _burst(name: str, url: str, queue_url: str, plan: Plan) -> Run:
    """Send the plan and wait until it is in blocks, where there is a queue."""
    record = Record()
    timeline = Timeline(queue_url, record.now_s)
    starts = {sum(plan.split()[:number]) for number in range(1, plan.bursts)}

    def note(_answer: Answer) -> None:
        if len(record.answers) in starts:
            timeline.mark("a burst has ended, the pause begins")

    click.echo(f"{name}: sending {plan.requests:,} requests", err=True)
    with timeline:
        asyncio.run(send(url, plan, record, on_answer=note))
        timeline.mark("all is sent")
        if queue_url:
            click.echo(f"{name}: waiting until the queue is empty", err=True)
            wait_until_drained(queue_url, _DRAIN_S)
            timeline.mark("the queue is empty")
    return Run(name, record, timeline)


def _describe(runs: list[Run]) -> str:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for run in runs:
        table.add_column(run.name, justify="right")
    for title, values in tabulate(runs):
        table.add_row(title, *values)
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
        for run in runs:
            for note in run.notes:
                console.print(f"\n{run.name}: {note}")
    return capture.get().rstrip()


if __name__ == "__main__":
    run_command(experiment)
