"""What runs came to, side by side: as a page of its own without outside requests, and as JSON."""

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from minequeue.compose.burst.record import Record
from minequeue.compose.burst.summary import summarise
from minequeue.compose.burst.verdict import PERCENTILES, Verdict
from tests.chaos.charts import CLASSES, Span, classify, count_by_second, draw_answers, draw_samples
from tests.chaos.timeline import Timeline

_PAGE = Path(__file__).with_name("report.html")


@dataclass
class Run:
    """One run, as a report shows it.

    Attributes:
        name: what was sent at what.
        record: what the client saw.
        timeline: the queue and the faults, by the record's clock.
        verdict: what became of it; None where nobody could look.
        is_valid: whether the chain is; None where nobody looked.
        blocks: the length of the chain.
        notes: sentences about this run.
    """

    name: str
    record: Record
    timeline: Timeline
    verdict: Verdict | None = None
    is_valid: bool | None = None
    blocks: int = 0
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Everything but the single answers."""
        return {
            "name": self.name,
            **summarise(self.record, self.verdict),
            **{f"answers_{name.replace(' ', '_')}": n for name, n in self.count_classes().items()},
            # a design without jobs has none to lose
            "jobs_lost": self.verdict.jobs_lost if self.verdict and self.verdict.jobs else None,
            "unexpected": self.verdict and self.verdict.unexpected,
            "is_valid": self.is_valid,
            "blocks": self.blocks,
            "marks": [{"at_s": round(at_s, 3), "text": text} for at_s, text in self.timeline.marks],
            "notes": self.notes,
        }

    def count_classes(self) -> dict[str, int]:
        """How many answers there are of each of ``CLASSES``."""
        counts = dict.fromkeys(CLASSES, 0)
        for answer in self.record.answers:
            counts[classify(answer.status)] += 1
        return counts

    @property
    def seconds(self) -> float:
        """Until the last thing that is known of it."""
        answers = (answer.at_s for answer in self.record.answers)
        samples = (sample.at_s for sample in self.timeline.samples)
        return max([1.0, *answers, *samples, *(at_s for at_s, _text in self.timeline.marks)])


def tabulate(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """The rows of the table in which the runs stand side by side: a name, and each run's value."""
    found = [run.as_json() for run in runs]
    rows = [
        ("answers", "answers"),
        ("accepted transactions", "accepted"),
        ("answers of 500 or above", "answers_5xx"),
        ("no answer", "answers_no_answer"),
        ("accepted, then lost", "lost"),
        ("in the chain more than once", "doubled"),
        ("mine requests lost", "jobs_lost"),
        ("chain valid?", "is_valid"),
        ("blocks", "blocks"),
    ]
    table = [(title, [_say(each[name]) for each in found]) for title, name in rows]
    for kind in ("submit", "mine", "read"):
        if any(kind in each["latency_s"] for each in found):
            shares = " / ".join(
                "slowest" if s == max(PERCENTILES) else f"{s} %" for s in PERCENTILES
            )
            values = [_say_latency(each["latency_s"].get(kind)) for each in found]
            table.append((f"{kind}, ms: {shares}", values))
    return table


def write_report(path: Path, runs: Sequence[Run], title: str = "A burst, followed") -> None:
    """Write one HTML file that shows ``runs``, of which there is at least one, side by side."""
    page = Template(_PAGE.read_text())
    path.write_text(
        page.substitute(
            title=html.escape(title),
            table="\n".join(_write_table(runs)),
            runs="\n".join(_write_runs(runs)),
        )
    )


def _say(value: Any) -> str:
    if value is None:
        return "–"  # noqa: RUF001  # a dash in a table for people
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:,}"


def _say_latency(shares: dict[str, float] | None) -> str:
    if shares is None:
        return _say(None)
    return " / ".join(f"{1000 * value:,.0f}" for value in shares.values())


_MUST_BE_ZERO = ("answers of", "no answer", "accepted, then", "in the chain", "mine requests lost")


def _write_table(runs: Sequence[Run]) -> Iterator[str]:
    yield "<thead><tr><th></th>"
    yield from (f"<th>{html.escape(run.name)}</th>" for run in runs)
    yield "</tr></thead><tbody>"
    for title, values in tabulate(runs):
        cells = "".join(f'<td class="{_grade(title, value)}">{value}</td>' for value in values)
        yield f"<tr><th>{html.escape(title)}</th>{cells}</tr>"
    yield "</tbody>"


def _grade(title: str, value: str) -> str:
    """Whether a value is as it should be; "" where it may be any."""
    if title == "chain valid?":
        return {"yes": "good", "NO": "bad"}.get(value, "")
    if title.startswith(_MUST_BE_ZERO) and value != _say(None):
        return "good" if value == "0" else "bad"
    return ""


def _write_runs(runs: Sequence[Run]) -> Iterator[str]:
    counts = [count_by_second(run.record.answers) for run in runs]
    heights = [max(values) for each in counts for values in each.values()]
    span = Span(math.ceil(max(run.seconds for run in runs)), max(heights, default=0))
    yield '<div class="grid">'
    for run, count in zip(runs, counts, strict=True):
        yield f"<section><h2>{html.escape(run.name)}</h2>"
        yield _frame(draw_answers(count, run.timeline.marks, span))
        yield from (f"<p>{html.escape(note)}</p>" for note in run.notes)
        yield from _write_marks(run.timeline.marks)
        yield "</section>"
    yield "</div>"
    for run in runs:
        if run.timeline.samples:
            yield f'<h2>{html.escape(run.name)}: what GET /queue said</h2><div class="grid">'
            yield from map(_frame, _draw_queue(run.timeline, Span(span.seconds)))
            yield "</div>"


def _draw_queue(timeline: Timeline, span: Span) -> Iterator[str]:
    samples, marks = timeline.samples, timeline.marks
    yield draw_samples("Queue: entries that wait", samples, marks, span, depth=lambda q: q["depth"])
    yield draw_samples(
        "Age of the oldest entry, s", samples, marks, span, age=lambda q: q["oldest_age_s"] or 0
    )
    yield draw_samples(
        "Miners",
        samples,
        marks,
        span,
        busy=lambda q: q["miners_busy"],
        wanted=lambda q: q["miners_wanted"],
    )
    yield draw_samples("Blocks", samples, marks, span, blocks=lambda q: q["tip"]["index"])
    yield draw_samples(
        "Hash rate, MH/s", samples, marks, span, rate=lambda q: (q["hash_rate"] or 0) / 1e6
    )


def _frame(svg: str) -> str:
    return f"<figure>{svg}</figure>"


def _write_marks(marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    if not marks:
        return
    yield "<h3>What was done meanwhile</h3><ol>"
    yield from (f"<li><b>{at_s:.1f} s</b> {html.escape(text)}</li>" for at_s, text in marks)
    yield "</ol>"
