"""``minequeue burst``: sends a burst, follows it to the chain, and says what became of it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from minequeue.compose.burst.client import send
from minequeue.compose.burst.files import open_receipts, write_receipts
from minequeue.compose.burst.plan import Plan
from minequeue.compose.burst.poll import read_chain, read_jobs, wait_until_drained
from minequeue.compose.burst.record import Record
from minequeue.compose.burst.summary import describe, describe_refusal, summarise
from minequeue.compose.burst.verdict import Verdict, judge
from minequeue.compose.client.node_client import NodeClient

_INTERRUPTED = 130  # the exit code after Ctrl-C


def run_burst(
    url: str,
    plan: Plan,
    *,
    transactions: Iterable[Mapping[str, Any]] | None,
    token: str,
    receipts: Path | None,
    wait_s: float,
    as_json: bool,
) -> int:
    """Send ``plan`` to the node at ``url`` and print what became of it.

    Args:
        url: the node's, without a path.
        plan: what to send.
        transactions: to be submitted in place of made ones.
        token: that the node is shown, or "".
        receipts: the file that gets every receipt.
        wait_s: the longest that the queue may take to become empty, and that a receipt is looked
            for again where the node refuses that or is away.
        as_json: print JSON.

    Returns:
        0 if all that was accepted is in the chain once, and nothing was refused that a repetition
        cannot mend; 1 if not, or if nothing was accepted at all; 130 after Ctrl-C.

    Raises:
        NodeAway: there is no node.
        NodeRefused: it refuses to be looked at.
        NotDrained: the queue did not become empty; what is known is printed before.
        CannotRead: its chain cannot be read.
        BadPlan: a file or a transaction cannot be used.
    """
    NodeClient(url, token).insist("GET", "/queue", wait_s=wait_s)
    record, verdict = Record(), None
    is_interrupted = False
    with open_receipts(receipts) as file:
        try:
            verdict = _carry_out(url, plan, record, transactions, token=token, wait_s=wait_s)
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            if file:
                write_receipts(record, file)
            if record.answers:
                _show(record, verdict, as_json=as_json)
    if is_interrupted:
        return _INTERRUPTED
    if refusal := describe_refusal(record):
        click.echo(f"minequeue: {refusal}", err=True)
        return 1
    return 0 if verdict and verdict.is_kept else 1


def _carry_out(
    url: str,
    plan: Plan,
    record: Record,
    transactions: Iterable[Mapping[str, Any]] | None,
    *,
    token: str,
    wait_s: float,
) -> Verdict:
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        sending = progress.add_task("sending", total=plan.requests, said="")
        statuses: Counter[int] = Counter()

        def count(status: int, is_final: bool) -> None:
            statuses[status] += 1
            said = ", ".join(f"{count} x {status or 'none'}" for status, count in statuses.items())
            progress.update(sending, advance=int(is_final), said=said)

        asyncio.run(
            send(
                url,
                plan,
                record,
                on_answer=lambda a: count(a.status, a.is_accepted or not plan.retry),
                transactions=transactions,
                token=token,
            )
        )
        mining = progress.add_task("mining", total=None, said="")

        def look(queue: dict[str, Any]) -> None:
            task = next(task for task in progress.tasks if task.id == mining)
            total = max(task.total or 0, queue["depth"])
            said = f"{queue['miners_busy']} miners at work"
            progress.update(mining, total=total, completed=total - queue["depth"], said=said)

        wait_until_drained(url, wait_s, look)
    return judge(record, read_chain(url, wait_s), read_jobs(url, record.jobs, wait_s))


def _show(record: Record, verdict: Verdict | None, *, as_json: bool) -> None:
    summary = summarise(record, verdict)
    with suppress(BrokenPipeError):
        click.echo(json.dumps(summary) if as_json else describe(summary))
