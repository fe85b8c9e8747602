"""Rounds: each is a few faults, drawn from a seed, under load; then everything is checked."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.chaos.faults.catalogue import make_faults
from tests.chaos.faults.fault import Fault, NotCovered
from tests.chaos.field import Field, Kind
from tests.chaos.figures import Figures
from tests.chaos.load import Load
from tests.chaos.promises import Judge
from tests.chaos.report import Run

_STRIKES = 4  # of a round
_ROUNDS_EACH = 10  # that a field goes through before a fresh one takes its place
_ACCEPTED_S = 90.0  # for the requests under way after the last fault
_MAX_PAUSE_S = 0.6  # before a fault
_KINDS = {
    "own": "with a server of its own",
    "named": "with a server behind a proxy",
    "cluster": "with a server in cluster mode",
}
# of consecutive seeds; the kinds have 13, 19 and 2 faults
_TURNS: tuple[Kind, ...] = ("own", "named", "own", "named", "cluster", "named", "own", "named")


class Rounds:
    """Plays rounds on fields that it starts, and reuses; close it.

    Args:
        directory: for their data.
        announce: tells people one line.
    """

    def __init__(self, directory: Path, announce: Callable[[str], object]) -> None:
        self.figures = Figures()
        self._found: dict[Path, dict[str, int]] = {}  # what came of each field so far
        self._directory = directory
        self._announce = announce
        self._fields: dict[Kind, tuple[Field, Judge, ExitStack]] = {}
        self._started = 0
        self._runs: dict[Path, Run] = {}

    def play(self, seed: int) -> dict[str, int]:
        """Play the round of ``seed``: the same faults in the same order, whatever came before.

        Raises:
            AssertionError, MinequeueError: something that was promised is not so.
        """
        kind, faults = draw_faults(seed)
        drawn = Random(seed)
        field, judge = self._take(kind)
        began = time.monotonic()
        field.load = Load(field.stack.url, field.record, seed).start()
        for fault in faults:
            time.sleep(drawn.uniform(0, _MAX_PAUSE_S))
            self._strike(field, fault, drawn)
        field.load.finish(_ACCEPTED_S)
        field.timeline.mark(f"the clients of seed {seed} have ended")
        found = self._found[field.directory] = judge.check()
        field.timeline.mark(f"seed {seed}: nothing is lost or doubled")
        run = self._runs[field.directory]
        run.verdict, run.is_valid, run.blocks = judge.verdict, True, found["blocks"]
        field.rounds += 1
        self._announce(
            f"seed {seed} ({kind}): {', '.join(fault.name for fault in faults)}: "
            f"{found['accepted']} accepted, {found['lost']} lost, {found['doubled']} doubled, "
            f"{found['blocks']} blocks so far, {time.monotonic() - began:.1f} s"
        )
        return found

    @property
    def totals(self) -> dict[str, int]:
        """What came of all fields, in numbers."""
        return dict(sum((Counter(found) for found in self._found.values()), Counter()))

    @property
    def runs(self) -> list[Run]:
        """Each field with its answers, its queue and its faults, for a report."""
        return list(self._runs.values())

    def give_up(self, seed: int) -> None:
        """Throw away the field of a round that failed; its logs stay."""
        self._drop(draw_faults(seed)[0])

    def close(self) -> None:
        """Stop every field."""
        for kind in list(self._fields):
            self._drop(kind)

    def _strike(self, field: Field, fault: Fault, drawn: Random) -> None:
        field.timeline.mark(fault.name)
        try:
            fault.strike(field, drawn)
            self.figures.struck[fault.name] += 1
        except NotCovered as reason:
            if fault.name not in self.figures.not_covered:
                self._announce(f"{fault.name} is NOT COVERED: {reason}")
            self.figures.not_covered[fault.name] = str(reason)
        except Exception as error:
            error.add_note(f"while {fault.name} struck")
            raise
        finally:
            fault.heal(field)

    def _take(self, kind: Kind) -> tuple[Field, Judge]:
        if kind in self._fields and self._fields[kind][0].rounds >= _ROUNDS_EACH:
            self._drop(kind)
        if kind not in self._fields:
            self._started += 1
            opened = ExitStack()
            directory = self._directory / f"field-{self._started}"
            field = opened.enter_context(Field(directory, kind, self.figures))
            self._fields[kind] = field, Judge(field), opened
            name = f"stack {self._started}, {_KINDS[kind]}"
            self._runs[directory] = Run(name, field.record, field.timeline)
        return self._fields[kind][:2]

    def _drop(self, kind: Kind) -> None:
        if kind in self._fields:
            self._fields.pop(kind)[2].close()


def draw_faults(seed: int) -> tuple[Kind, list[Fault]]:
    """The kind of field and the faults of the round ``seed``.

    Consecutive seeds go through all faults in turn, so that a few rounds cover each.
    """
    cycle, place = divmod(seed, len(_TURNS))
    kind = _TURNS[place]
    turn = cycle * _TURNS.count(kind) + _TURNS[:place].count(kind)  # of this kind alone
    faults = make_faults(kind)
    chosen = [faults[(turn * _STRIKES + number) % len(faults)] for number in range(_STRIKES)]
    Random(seed).shuffle(chosen)
    return kind, chosen
