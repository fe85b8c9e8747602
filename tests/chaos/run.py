"""`make chaos`: plays rounds, and says what struck, what was measured and what broke."""

import json
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import click

from minequeue.chain.errors import MinequeueError
from tests.chaos.faults.catalogue import make_all_faults
from tests.chaos.report import write_report
from tests.chaos.rounds import Rounds


def run_chaos(
    rounds: int,
    seed: int,
    *,
    data_dir: Path | None,
    at_least: int,
    strict: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """Play ``rounds`` rounds, of the seeds from ``seed`` on.

    Args:
        rounds: how many.
        seed: of the first one.
        data_dir: where the stacks keep their data and logs; None for a new temporary directory.
        at_least: how often each fault must have happened.
        strict: a fault that this machine does not let happen counts as one that did not.
        report: the HTML file to be written: each stack, with its faults on the time axis.
        as_json: print the outcome as JSON.

    Returns:
        0 if every promise was kept and every fault happened as often as was asked, else 1.
    """
    directory = data_dir or Path(tempfile.mkdtemp(prefix="minequeue-chaos-"))
    say(f"data and logs are in {directory}")
    broken: dict[int, str] = {}
    played = Rounds(directory.absolute(), say)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no stack is left behind
    try:
        for number in range(seed, seed + rounds):
            try:
                played.play(number)
            except (AssertionError, MinequeueError, OSError) as error:
                say("".join(traceback.format_exception(error)))
                broken[number] = "; ".join([str(error), *getattr(error, "__notes__", [])])
                say(f"seed {number} BROKE; replay it with --seed {number} --rounds 1")
                played.give_up(number)
    finally:
        played.close()
    outcome = {
        "rounds": rounds,
        "seed": seed,
        "broken": broken,
        **played.totals,
        **played.figures.as_json(),
        "missing": _find_missing(played, at_least, strict=strict),
    }
    if report and played.runs:
        write_report(report, played.runs, f"{rounds} rounds of chaos, seeds from {seed}")
    click.echo(json.dumps(outcome) if as_json else describe(outcome))
    return 1 if outcome["broken"] or outcome["missing"] else 0


def say(line: str) -> None:
    """Tell people; what is printed to the standard output is the outcome alone."""
    click.echo(line, err=True)


def describe(outcome: dict[str, Any]) -> str:
    """One line for each member."""
    width = max(map(len, outcome))
    return "\n".join(f"{name:<{width}}  {_write(value)}" for name, value in outcome.items())


def _write(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items()) or "none"
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)


def _find_missing(played: Rounds, at_least: int, *, strict: bool) -> list[str]:
    """The faults that did not happen as often as they should have."""
    excused = set() if strict else set(played.figures.not_covered)
    return [
        fault.name
        for fault in make_all_faults()
        if played.figures.struck[fault.name] < at_least and fault.name not in excused
    ]
