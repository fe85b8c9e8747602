"""What `minequeue status --watch` draws."""

import io
from collections import deque

from rich.console import Console

from minequeue.compose.client.status import draw, plot

QUEUE = {
    "depth": 12_345,
    "oldest_age_s": 1.5,
    "estimated_drain_s": None,
    "hash_rate": 0,
    "miners_busy": 0,
    "miners_wanted": 2,
    "miners": 2,
    "tip": {"index": 1_000, "hash": "ab" * 32},
}


def write(fault: str = "") -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(draw(QUEUE, {"depth": deque([0.0, 5.0, 10.0])}, fault))
    return console.export_text()


def test_each_number_has_its_meaning_beside_it() -> None:
    lines = write().splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["12,345", "entries", "wait", "▄█"],
        ["1.5", "s,", "the", "oldest", "of", "them"],
        ["-", "s", "until", "the", "queue", "is", "empty"],
    ]
    assert lines[7].strip() == "1,000  blocks; the newest is abababababababab..."


def test_a_node_that_went_away_is_told_below_what_was_last_seen() -> None:
    text = write("http://node does not answer as a node does.")
    assert "12,345" in text
    assert text.rstrip().endswith("http://node does not answer as a node does.")


def test_a_plot_goes_from_nothing_to_the_largest() -> None:
    assert plot([0, 1, 2, 4, 8]) == " ▁▂▄█"
    assert plot([0, 0]) == "  "
    assert plot([]) == ""
