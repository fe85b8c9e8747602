"""``minequeue submit``: one transaction, or a file of any size, each with its receipt."""

import json
import secrets
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from compose.node_client import NodeClient, NodeRefused
from compose.terminal import escape

BATCH = 1000  # lines of a request
_NDJSON = "application/x-ndjson"
_NONE_FITS = 400  # the status where no entry of a batch is valid


def submit_one(client: NodeClient, fields: dict[str, Any]) -> Any:
    """Submit one transaction; its receipt."""
    body = json.dumps(fields).encode()
    key = secrets.token_hex(16)  # so that it may be repeated
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return client.parse(client.insist("POST", "/chain/new", body, headers))[1]


def submit_lines(
    client: NodeClient, source: IO[bytes], receipts: IO[str] | None
) -> tuple[int, int]:
    """Submit each line, in batches, and write down what became of each.

    Returns:
        How many were accepted, and how many refused.

    Raises:
        NodeAway: the node went away; what was accepted until then is written down.
    """
    accepted = refused = 0
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("submitted", total=None)
        for number, batch in enumerate(_cut(source)):
            outcomes = _submit_batch(client, number, batch)
            good = sum("id" in outcome for outcome in outcomes)
            accepted += good
            refused += len(outcomes) - good
            for outcome in outcomes:
                if receipts is not None:
                    receipts.write(json.dumps(outcome) + "\n")
            progress.advance(task, len(outcomes))
    return accepted, refused


def _submit_batch(client: NodeClient, number: int, lines: list[bytes]) -> list[dict[str, Any]]:
    body = b"".join(lines)
    # by its place and what it holds: a file that is sent again, because the node went away, adds
    # nothing twice, and equal parts of one file stay two
    key = sha256(b"%d\n%b" % (number, body)).hexdigest()
    headers = {"Content-Type": _NDJSON, "Idempotency-Key": key}
    try:
        _, outcomes = client.parse(client.insist("POST", "/chain/new", body, headers))
    except NodeRefused as error:
        errors = error.problem.get("errors")
        if error.status != _NONE_FITS or not isinstance(errors, list):
            raise
        return [{"status": "refused", "problem": each} for each in errors]
    found: list[dict[str, Any]] = outcomes
    return found


def _cut(source: Iterable[bytes]) -> Iterator[list[bytes]]:
    lines = (line.rstrip(b"\r\n") + b"\n" for line in source if line.strip())
    while batch := list(islice(lines, BATCH)):
        yield batch


def describe(accepted: int, refused: int, *, as_json: bool) -> str:
    """What became of a file."""
    if as_json:
        return json.dumps({"accepted": accepted, "refused": refused})
    return f"{accepted} accepted, {refused} refused"


def say(value: Any, *, as_json: bool) -> None:
    """Print an answer: as JSON, or a line for each of its members."""
    if as_json or not isinstance(value, dict):
        click.echo(json.dumps(value))
        return
    width = max(map(len, value), default=0)
    for name, member in value.items():
        text = member if isinstance(member, str) else json.dumps(member)
        click.echo(escape(f"{name:<{width}}  {text}"))
