"""What a burst came to, as one JSON object and as a table for people."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from minequeue.compose.burst.record import Record
from minequeue.compose.burst.verdict import PERCENTILES, Verdict, measure_latency
from minequeue.compose.text.terminal import escape

_ADVICE = {
    401: "set MINEQUEUE_TOKEN to a token of this node.",
    403: "MINEQUEUE_TOKEN needs a token with the scopes submit and mine.",
}
_UNKNOWN = "not looked for"
_WIDTH = 100  # characters of the table, also where the output is no terminal


def summarise(record: Record, verdict: Verdict | None) -> dict[str, Any]:
    """What is known; of the chain nothing, where ``verdict`` is None."""
    statuses = Counter(answer.status for answer in record.answers if not answer.is_accepted)
    took_s = max((answer.at_s for answer in record.answers), default=0.0)
    return {
        "answers": len(record.answers),
        "sent_in_s": round(took_s, 3),
        "accepted": len(record.receipts),
        "refused": {str(status): count for status, count in sorted(statuses.items())},
        "unknown": len(record.unknown),
        "jobs": len(record.jobs),
        "mined": verdict and verdict.mined,
        "lost": verdict and verdict.lost,
        "doubled": verdict and verdict.doubled,
        "recovered": verdict and verdict.recovered,
        "jobs_lost": verdict and verdict.jobs_lost,
        "is_kept": verdict and verdict.is_kept,
        "named": verdict.named_faults if verdict else {},
        "latency_s": {
            kind: {str(share): round(value, 6) for share, value in shares.items()}
            for kind, shares in measure_latency(record).items()
        },
    }


def describe_refusal(record: Record) -> str:
    """Why the burst itself failed, whatever became of what was accepted; "" if it did not."""
    total = len(record.answers)
    hopeless = Counter(answer.status for answer in record.answers if answer.is_hopeless)
    if hopeless:
        (status, count) = hopeless.most_common(1)[0]
        advice = _ADVICE.get(status, "correct the URL or the requests.")
        return f"{count} of {total} requests were refused with {status}; {advice}"
    if not any(answer.is_accepted for answer in record.answers):
        return f"None of {total} requests was accepted; --retry repeats them until they are."
    return ""


def describe(summary: dict[str, Any]) -> str:
    """The summary for people."""
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(_tabulate_counts(summary))
        if summary["latency_s"]:
            console.print(_tabulate_latency(summary["latency_s"]))
        for fault, names in summary["named"].items():
            # names are the node's, and no markup of rich's
            named = escape(f"{fault}: {' '.join(map(str, names))}")
            console.print(named, soft_wrap=True, markup=False, highlight=False)
    return capture.get().rstrip()


def _tabulate_counts(summary: dict[str, Any]) -> Table:
    rate = summary["answers"] / summary["sent_in_s"] if summary["sent_in_s"] else 0
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    rows = [
        ("answers", summary["answers"], f"in {summary['sent_in_s']:.1f} s, {rate:,.0f} a second"),
        ("accepted", summary["accepted"], f"and {summary['jobs']:,} mine requests"),
        *(
            ("no answer" if status == "0" else f"refused, {status}", count, "")
            for status, count in summary["refused"].items()
        ),
        ("mined", summary["mined"], ""),
        ("lost", summary["lost"], "accepted, and not in the chain"),
        ("doubled", summary["doubled"], "in the chain more than once"),
        ("jobs lost", summary["jobs_lost"], "mine requests without a block of their own"),
    ]
    if summary["unknown"]:
        rows.append(("unknown", summary["unknown"], "sent without an answer"))
        rows.append(("recovered", summary["recovered"], "of the unknown, in the chain"))
    for name, value, note in rows:
        table.add_row(name, _UNKNOWN if value is None else f"{value:,}", note)
    return table


def _tabulate_latency(latency: dict[str, dict[str, float]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("latency, ms")
    for share in PERCENTILES:
        table.add_column("slowest" if share == max(PERCENTILES) else f"{share} %", justify="right")
    for kind, shares in latency.items():
        table.add_row(kind, *(f"{1000 * value:,.1f}" for value in shares.values()))
    return table
