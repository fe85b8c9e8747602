import re
from pathlib import Path
from typing import Any

from minequeue.compose.burst.record import Answer, Record
from minequeue.compose.burst.verdict import judge
from tests.chaos.charts import count_by_second
from tests.chaos.report import Run, tabulate, write_report
from tests.chaos.timeline import Sample, Timeline

_QUEUE: dict[str, Any] = {
    "depth": 3,
    "oldest_age_s": None,
    "miners_busy": 1,
    "miners_wanted": 2,
    "tip": {"index": 4},
    "hash_rate": 2e6,
}


def _run(name: str, *statuses: int) -> Run:
    record = Record(
        answers=[Answer(float(at), "submit", s, 0.25) for at, s in enumerate(statuses)],
        receipts={f"id {at}": float(at) for at, s in enumerate(statuses) if s == 202},
    )
    timeline = Timeline("", record.now_s, [Sample(0.5, _QUEUE), Sample(0.75, None)])
    timeline.marks.append((0.5, "SIGKILL <workers>"))
    return Run(name, record, timeline, judge(record, []), is_valid=True)


def test_answers_are_counted_by_second_and_class() -> None:
    answers = [Answer(at, "read", status, 0.1) for at, status in [(0.1, 200), (1.2, 503), (1.9, 0)]]
    assert count_by_second(answers) == {"2xx": [1, 0], "5xx": [0, 1], "no answer": [0, 1]}


def test_runs_stand_side_by_side() -> None:
    table = dict(tabulate([_run("ours", 202, 202), _run("other", 202, 500, 0)]))
    assert table["answers of 500 or above"] == ["0", "1"]
    assert table["no answer"] == ["0", "1"]
    assert table["accepted, then lost"] == ["2", "1"]
    assert table["submit, ms: 50 % / 90 % / 99 % / slowest"] == ["250 / 250 / 250 / 250"] * 2


def test_what_nobody_looked_for_is_neither_good_nor_bad() -> None:
    run = _run("ours", 202)
    run.verdict = None
    assert dict(tabulate([run]))["accepted, then lost"] == ["–"]  # noqa: RUF001  # as printed


def test_a_page_asks_for_nothing_outside_and_runs_no_script(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, [_run("ours", 202), _run("other", 500)])
    page = path.read_text()
    assert "<script" not in page
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#)""", page)
    assert "@import" not in page
    assert "url(" not in re.sub(r"url\(#", "", page)


def test_a_page_escapes_what_it_tells(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, [_run("<ours>", 202)])
    page = path.read_text()
    assert "SIGKILL &lt;workers&gt;" in page
    assert "<ours>" not in page
