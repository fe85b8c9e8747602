"""What a benchmark found: figures, each with the goal that it was measured for, as one table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import click
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        name: what was measured.
        value: the figure.
        unit: what it counts, such as "MH/s", "s" or "x" for a ratio.
        at_least: the goal, where more is better; None where there is none.
        at_most: the goal, where less is better; None where there is none.
    """

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal was reached; None where there is none."""
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None


@dataclass(frozen=True, slots=True)
class Report:
    """A benchmark's outcome.

    Attributes:
        bench: its name.
        figures: in the order in which they should be read.
        notes: sentences that say how it was measured, or explain a figure.
    """

    bench: str
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def is_met(self) -> bool:
        """Whether every goal was reached."""
        return all(figure.is_met is not False for figure in self.figures)

    def show(self, *, as_json: bool) -> None:
        """Print it for people, or as one JSON object."""
        if as_json:
            figures = [{**asdict(figure), "is_met": figure.is_met} for figure in self.figures]
            found = {"bench": self.bench, "figures": figures, "notes": list(self.notes)}
            click.echo(json.dumps(found))
            return
        table = Table(title=f"bench {self.bench}", title_justify="left")
        for heading in ("figure", "value", "goal", ""):
            table.add_column(heading, justify="right" if heading == "value" else "left")
        for figure in self.figures:
            verdict = {True: "reached", False: "MISSED", None: ""}[figure.is_met]
            table.add_row(
                figure.name, f"{_round(figure.value)} {figure.unit}", _describe(figure), verdict
            )
        console = Console()
        console.print(table)
        for note in self.notes:
            console.print(note)


def _round(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _describe(figure: Figure) -> str:
    if figure.at_least is not None:
        return f"at least {_round(figure.at_least)}"
    return "" if figure.at_most is None else f"at most {_round(figure.at_most)}"
