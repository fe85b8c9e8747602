"""The pictures of a report: SVG that follows the page's colours, without a script."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pygal
from pygal.style import Style

from minequeue.compose.burst.record import Answer
from tests.chaos.timeline import Sample

Point = tuple[float, float] | None  # None breaks the line
CLASSES = ("2xx", "4xx", "5xx", "no answer")
_COLOURS = {
    "2xx": "var(--good)",
    "4xx": "var(--warn)",
    "5xx": "var(--bad)",
    "no answer": "var(--none)",
}
_MARK = "var(--mark)"
_LINES = ("var(--one)", "var(--two)")
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)  # pygal's settings, for a script of its own
_STROKE = 2
_WIDTH, _HEIGHT = 640, 250  # pixels, to be scaled by the page


@dataclass(frozen=True, slots=True)
class Span:
    """The axes that charts side by side have in common; 0 for a height of its own."""

    seconds: float
    height: float = 0


def classify(status: int) -> str:
    """The class of a status, one of ``CLASSES``."""
    if not status:
        return "no answer"
    return {4: "4xx", 5: "5xx"}.get(status // 100, "2xx")


def count_by_second(answers: Sequence[Answer]) -> dict[str, list[float]]:
    """For each class that occurs, its answers in each second."""
    seconds = int(max((answer.at_s for answer in answers), default=0)) + 1
    found = {name: [0.0] * seconds for name in CLASSES}
    for answer in answers:
        found[classify(answer.status)][int(answer.at_s)] += 1
    return {name: counts for name, counts in found.items() if any(counts)}


def draw_answers(
    counts: dict[str, list[float]], marks: Sequence[tuple[float, str]], span: Span
) -> str:
    """Answers a second, by class."""
    lines: dict[str, list[Point]] = {}
    for name, values in counts.items():
        # in steps: a count holds for its whole second
        steps = ((second + edge, count) for second, count in enumerate(values) for edge in (0, 1))
        lines[name] = [(0, 0), *steps, (len(values), 0)]
    return _draw("Answers a second", lines, [_COLOURS[name] for name in counts], marks, span)


def draw_samples(
    title: str,
    samples: Sequence[Sample],
    marks: Sequence[tuple[float, str]],
    span: Span,
    **lines: Callable[[dict[str, Any]], float | None],
) -> str:
    """What each of ``lines``, at most two, reads out of the answers of GET /queue."""
    points: dict[str, list[Point]] = {}
    for name, read in lines.items():
        values = [(s.at_s, read(s.queue) if s.queue else None) for s in samples]
        points[name.replace("_", " ")] = [
            None if value is None else (at_s, float(value)) for at_s, value in values
        ]
    return _draw(title, points, list(_LINES[: len(lines)]), marks, span)


def _draw(
    title: str,
    lines: dict[str, list[Point]],
    colours: list[str],
    marks: Sequence[tuple[float, str]],
    span: Span,
) -> str:
    top = span.height or max((p[1] for line in lines.values() for p in line if p), default=0) or 1
    chart = pygal.XY(
        title=title,
        style=_style([*colours, _MARK]),
        width=_WIDTH,
        height=_HEIGHT,
        js=[],
        explicit_size=False,
        disable_xml_declaration=True,
        no_prefix=False,
        show_dots=False,
        show_x_guides=False,
        allow_interruptions=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(lines) + bool(marks),
        legend_box_size=9,
        xrange=(0, span.seconds),
        range=(0, top),
        max_scale=6,
        value_formatter=lambda value: f"{value:,.10g}",
        x_value_formatter=lambda value: f"{value:g} s",
        x_labels=_ticks(span.seconds),
        spacing=6,
        margin=8,
    )
    for name, points in lines.items():
        chart.add(name, points, stroke_style={"width": _STROKE})
    if marks:
        strokes: list[Point] = []
        for at_s, _text in marks:
            strokes += [(at_s, 0), (at_s, top), None]
        chart.add("event", strokes, fill=False, stroke_style={"width": 1, "dasharray": "4, 3"})
    return _SCRIPT.sub("", str(chart.render(is_unicode=True)))


def _ticks(seconds: float) -> list[float]:
    step = next((s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300) if seconds / s <= 8), 600)
    return [float(second) for second in range(0, int(seconds) + 1, step)]


def _style(colours: list[str]) -> Style:
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--soft)",
        foreground_strong="var(--text)",
        foreground_subtle="var(--line)",
        guide_stroke_color="var(--line)",
        major_guide_stroke_color="var(--line)",
        guide_stroke_dasharray="none",
        major_guide_stroke_dasharray="none",
        colors=tuple(colours),
        value_colors=("var(--text)",) * len(colours),
        opacity=".18",
        opacity_hover=".3",
        transition="0",
        font_family="inherit",
        title_font_size=15,
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=12,
    )
