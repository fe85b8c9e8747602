"""Restarts of the server, many in a row: after each, workers mine again, and nothing is lost."""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

import click

from tests.chaos.field import Field
from tests.chaos.figures import RESTART_S, Figures, summarise
from tests.chaos.promises import Judge
from tests.chaos.run import describe, say

_MAX_LIFE_S = 0.3  # of a server beyond the first block


def run_restarts(times: int, seed: int, *, data_dir: Path | None, as_json: bool) -> int:
    """Kill and start the server so often; 0 if workers resumed every time within the goal."""
    directory = data_dir or Path(tempfile.mkdtemp(prefix="minequeue-chaos-"))
    figures = Figures()
    with ExitStack() as opened:
        field = opened.enter_context(Field(directory.absolute() / "restarts", "named", figures))
        drawn = Random(seed)
        for number in range(times):
            time.sleep(drawn.uniform(0, _MAX_LIFE_S))
            field.server.kill()
            field.server.start()
            took_s = field.measure_next_block(time.monotonic())
            figures.resumed.append(took_s)
            say(f"restart {number + 1}: the next block came after {took_s:.2f} s")
        found = Judge(field).check()
    late = sum(took_s > RESTART_S for took_s in figures.resumed)
    outcome = {
        "restarts": times,
        "resumed_s": summarise(figures.resumed),
        "goal_s": RESTART_S,
        "late": late,
        **found,
    }
    click.echo(json.dumps(outcome) if as_json else describe(outcome))
    return 1 if late else 0
