"""A simulation as one SVG: load, depth and miners over time, one above the other."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # nosec B405  # reads what pygal just wrote

import pygal
from pygal.style import Style

from tests.simulation.model import STEP_S, Sample

_WIDTH, _HEIGHT, _HEAD = 960, 230, 40  # pixels, of each panel and of the line above them
_LABEL, _LEGEND = 10, 9  # characters
_POINTS = 320  # more cannot be told apart
_SVG = "http://www.w3.org/2000/svg"
_FONT = "Helvetica, Arial, sans-serif"
_INK = "#333333"
_BLUE, _RED, _GREEN, _GREY = "#4878a8", "#c44e52", "#4c9a6a", "#9a9a9a"

Value = Callable[[Sequence[Sample]], float]  # of the samples that make one point


def draw(samples: Sequence[Sample], title: str) -> bytes:
    """Draw ``samples`` as an SVG document that needs nothing beside itself."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    panels = _make_panels(samples)
    width, height = str(_WIDTH), str(_HEAD + len(panels) * _HEIGHT)
    root = ElementTree.Element(
        f"{{{_SVG}}}svg", width=width, height=height, viewBox=f"0 0 {width} {height}"
    )
    ElementTree.SubElement(root, f"{{{_SVG}}}rect", width=width, height=height, fill="white")
    words = {"x": "20", "y": "28", "fill": _INK, "font-family": _FONT, "font-size": "17"}
    ElementTree.SubElement(root, f"{{{_SVG}}}text", words).text = title
    for row, panel in enumerate(panels):
        svg = ElementTree.fromstring(panel.render())  # what pygal just wrote  # nosec B314
        for definitions in svg.iter(f"{{{_SVG}}}defs"):
            for script in definitions.findall(f"{{{_SVG}}}script"):
                definitions.remove(script)  # settings of a script that is not there
        svg.attrib |= {"y": str(_HEAD + row * _HEIGHT), "width": width, "height": str(_HEIGHT)}
        root.append(svg)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def write(path: Path, samples: Sequence[Sample], title: str) -> None:
    """Draw into the file at ``path``."""
    path.write_bytes(draw(samples, title))


def _make_panels(samples: Sequence[Sample]) -> list[Any]:
    groups = _group(samples)

    def trace(value: Value) -> list[tuple[float, float]]:
        return [(group[-1].at_s, value(group)) for group in groups]

    last_s = samples[-1].at_s
    load = _make_panel("requests a second", [_BLUE], last_s)
    load.add(
        f"{'arriving':{_LEGEND}}",
        trace(lambda g: sum(s.load for s in g) / len(g) / STEP_S),
        fill=True,
    )
    depth = _make_panel("in the queue", [_RED], last_s)
    depth.add(f"{'waiting':{_LEGEND}}", trace(lambda g: max(s.depth for s in g)), fill=True)
    miners = _make_panel("miners", [_GREEN, _INK, _GREY], last_s)
    miners.add(f"{'running':{_LEGEND}}", trace(lambda g: g[-1].running), fill=True)
    miners.add("wanted", trace(lambda g: max(s.wanted for s in g)))
    miners.add("needed", trace(lambda g: max(s.need for s in g)))
    return [load, depth, miners]


def _group(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    size = math.ceil(len(samples) / _POINTS)
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def _make_panel(name: str, colors: list[str], last_s: float) -> Any:
    panel = pygal.XY(
        style=Style(
            background="white",
            plot_background="white",
            foreground=_INK,
            foreground_strong=_INK,
            foreground_subtle="#dddddd",
            colors=colors,
            font_family=_FONT,
            label_font_size=12,
            major_label_font_size=12,
            legend_font_size=13,
            title_font_size=14,
            opacity=".25",
            opacity_hover=".4",
            guide_stroke_color="#e4e4e4",
            major_guide_stroke_color="#cccccc",
            guide_stroke_dasharray="none",
            major_guide_stroke_dasharray="none",
            stroke_width=1.6,
        ),
        width=_WIDTH,
        height=_HEIGHT,
        title=name,
        js=(),  # nothing to be fetched, nothing to be run
        show_dots=False,
        legend_box_size=11,
        margin_top=4,
        margin_bottom=6,
        include_x_axis=True,
        max_scale=6,
        xrange=(0, last_s),
        x_value_formatter=lambda at_s: f"{at_s / 60:g} min",
        x_labels=list(range(0, int(last_s) + 1, _tick_s(last_s))),
        # labels of one width, so that the panels' axes stand one above the other
        value_formatter=lambda value: f"{value:>{_LABEL},.0f}",
    )
    panel.uuid = name.replace(" ", "-")  # else it is drawn at random, and no two files are alike
    return panel


def _tick_s(last_s: float) -> int:
    """How far apart the times on the axis are: whole minutes, twelve of them at most."""
    return 60 * max(1, math.ceil(last_s / 60 / 12))
