"""``minequeue submit``: one transaction, or a file of any size, each with its receipt."""

import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from minequeue.chain.errors import MalformedJson, MinequeueError
from minequeue.compose.client.node_client import NodeAway, NodeClient, NodeError, NodeRefused
from minequeue.compose.client.queue_state import Limits, read_limits
from minequeue.compose.client.submission import Identities, NameNeeded, SentFiles, find_records
from minequeue.compose.text.file import MAX_LINE_BYTES, number_lines
from minequeue.compose.text.terminal import escape

_NDJSON = "application/x-ndjson"
_KNOWN = "Known-Transactions"
_NONE_FITS = 400  # the status where no entry of a batch is valid
_TOO_LARGE = 413


_NAMELESS = (
    "What comes from no file has no path to be known by: give it a --name, under which a "
    "repetition pays nothing twice, or a nonce in each line."
)


class SendingStopped(MinequeueError):
    """Not all was sent; the message says why, how far it came, and how to go on."""


@dataclass(slots=True)
class Sent:
    """What became of a submission.

    Attributes:
        name: its name; None where it has none.
        accepted: how many lines have a receipt.
        known: how many of those were known to the node already; None where it does not tell.
        refused: how many lines were refused.
    """

    name: str | None = None
    accepted: int = 0
    known: int | None = 0
    refused: int = 0

    def count(self, outcomes: Iterable[dict[str, Any]], known: int | None) -> None:
        """Add what became of a batch."""
        for outcome in outcomes:
            if "id" in outcome:
                self.accepted += 1
            else:
                self.refused += 1
        self.known = None if self.known is None or known is None else self.known + known

    def describe(self, *, as_json: bool) -> str:
        """It, on one line."""
        if as_json:
            return json.dumps(
                {
                    "name": self.name,
                    "accepted": self.accepted,
                    "known": self.known,
                    "refused": self.refused,
                }
            )
        known = "an unknown number" if self.known is None else self.known
        return f"{self.accepted} accepted, {known} of them known already, {self.refused} refused"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the source: what is sent of it, or why it is not sent."""

    number: int
    body: bytes
    refusal: str = ""


def submit_one(client: NodeClient, fields: dict[str, Any]) -> Any:
    """Submit one transaction; its receipt."""
    body = json.dumps(fields).encode()
    key = secrets.token_hex(16)  # so that it may be repeated
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return client.parse(client.insist("POST", "/chain/new", body, headers))[1]


def run_submit(
    client: NodeClient, source: str, name: str | None, receipts: IO[str] | None, *, as_json: bool
) -> int:
    """Submit each line of a file, and print what became of all.

    Args:
        client: calls the node.
        source: the file's name, or "-" for standard input.
        name: the submission's; None for the one that the file has by itself.
        receipts: gets a JSON object a line.
        as_json: print JSON.

    Returns:
        1 if a line was refused, else 0.

    Raises:
        NameNeeded: a line needs a name, and there is none.
        SendingStopped: what was accepted until then is written down.
    """
    path = Path(source).resolve()
    files = None
    if name is None and source != "-" and path.is_file():
        files = SentFiles(find_records(os.environ))

    def find_name() -> str:
        found = name
        if found is None:
            if files is None:
                raise NameNeeded(_NAMELESS)
            found = files.begin(path, datetime.now(UTC).date().isoformat())
        click.echo(f"submission {escape(found)}", err=True)
        return found

    with click.open_file(source, "rb") as file:
        sent = submit_lines(client, file, Identities(find_name), receipts)
    if files and sent.name and not sent.refused:
        files.end(path)
    click.echo(sent.describe(as_json=as_json))
    return 1 if sent.refused else 0


def submit_lines(
    client: NodeClient, source: IO[bytes], identities: Identities, receipts: IO[str] | None
) -> Sent:
    """Submit each line, in batches as the node takes them, and write down what became of each.

    Each refused line is named on standard error, with the reason.

    Args:
        client: calls the node.
        source: a transaction a line.
        identities: of its lines.
        receipts: gets a JSON object a line.

    Raises:
        NameNeeded: a line needs a name, and there is none.
        SendingStopped: what was accepted until then is written down.
    """
    sent, limits = Sent(), read_limits(client)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("submitted", total=None)
        say = progress.console.out
        try:
            for batch in _cut(_read(source, identities), limits):
                sent.name = identities.name
                outcomes, known = _submit_batch(client, batch)
                if receipts is not None and not sent.accepted + sent.refused:
                    _empty(receipts)
                sent.count(outcomes, known)
                _tell(outcomes, receipts, say)
                progress.advance(task, len(outcomes))
        except NodeError as error:
            again = f"with --name {identities.name}" if identities.name else "as it is"
            raise SendingStopped(
                f"{error} Until then: {sent.describe(as_json=False)}. Send it again {again}: what "
                "was accepted adds nothing then."
            ) from None
    return sent


def _read(source: IO[bytes], identities: Identities) -> Iterator[_Line]:
    for number, text in number_lines(source):
        if text is None:
            yield _Line(number, b"", f"It is longer than {MAX_LINE_BYTES} bytes; shorten it.")
            continue
        try:
            yield _Line(number, identities.complete(text) + b"\n")
        except MalformedJson as error:
            # it would have no identity, so the node does not get it
            yield _Line(number, b"", str(error))


def _cut(lines: Iterable[_Line], limits: Limits) -> Iterator[list[_Line]]:
    """Batches of as many lines and bytes as a request may have; a line that is larger is alone."""
    batch: list[_Line] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == limits.batch or size + len(line.body) > limits.body_bytes):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.body)
    if batch:
        yield batch


def _submit_batch(
    client: NodeClient, batch: list[_Line]
) -> tuple[list[dict[str, Any]], int | None]:
    """What became of each line, and how many of those that were accepted were known."""
    bodies = [line.body for line in batch if not line.refusal]
    answers, known = _send(client, bodies) if bodies else ([], 0)
    following = iter(answers)
    return [
        {
            "line": line.number,
            **(_refuse({"detail": line.refusal}) if line.refusal else next(following)),
        }
        for line in batch
    ], known


def _send(client: NodeClient, bodies: list[bytes]) -> tuple[list[dict[str, Any]], int | None]:
    """One answer for each of ``bodies``; whatever passes less than the node is met by halves."""
    try:
        answer = client.insist("POST", "/chain/new", b"".join(bodies), {"Content-Type": _NDJSON})
    except NodeRefused as error:
        problems = error.problem.get("errors")
        if error.status == _NONE_FITS and isinstance(problems, list):
            return _match(client, [_refuse(each) for each in problems], bodies), 0
        if error.status != _TOO_LARGE:
            raise
        if len(bodies) == 1:
            return [_refuse(error.problem)], 0
        middle = len(bodies) // 2
        first, known = _send(client, bodies[:middle])
        second, more = _send(client, bodies[middle:])
        return first + second, None if known is None or more is None else known + more
    told = answer.headers.get(_KNOWN, "")
    outcomes = _match(client, client.parse(answer)[1], bodies)
    return outcomes, int(told) if told.isdecimal() else None


def _match(client: NodeClient, outcomes: Any, bodies: list[bytes]) -> list[dict[str, Any]]:
    """The outcomes, if there is one for each line: nothing is counted by halves."""
    if (
        not isinstance(outcomes, list)
        or len(outcomes) != len(bodies)
        or not all(isinstance(each, dict) for each in outcomes)
    ):
        raise NodeAway(f"{client.url} does not answer as a node does (no outcome for each line).")
    return outcomes


def _refuse(problem: Any) -> dict[str, Any]:
    return {"status": "refused", "problem": problem}


def _empty(receipts: IO[str]) -> None:
    """Drop the receipts of an earlier sending, now that there are new ones."""
    if stat.S_ISREG(os.fstat(receipts.fileno()).st_mode):
        receipts.truncate(0)


def _tell(
    outcomes: Iterable[dict[str, Any]], receipts: IO[str] | None, say: Callable[[str], object]
) -> None:
    for outcome in outcomes:
        if receipts is not None:
            receipts.write(json.dumps(outcome) + "\n")
        if "id" not in outcome:
            problem = outcome.get("problem")
            reason = problem.get("detail") if isinstance(problem, dict) else None
            say(f"line {outcome['line']}: {escape(str(reason or 'The node does not say why.'))}")


def say(value: Any, *, as_json: bool) -> None:
    """Print an answer: as JSON, or a line for each of its members."""
    if as_json or not isinstance(value, dict):
        click.echo(json.dumps(value))
        return
    width = max(map(len, value), default=0)
    for name, member in value.items():
        text = member if isinstance(member, str) else json.dumps(member)
        click.echo(escape(f"{name:<{width}}  {text}"))
