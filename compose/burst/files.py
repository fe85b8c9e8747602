"""The files of a burst: transactions to be sent, and receipts that were got."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from minequeue.chain.errors import MalformedJson
from minequeue.chain.protocol import strict_json
from minequeue.compose.burst.plan import BadPlan
from minequeue.compose.burst.record import Record
from minequeue.compose.text.file import MAX_LINE_BYTES, number_lines


def read_transactions(path: Path) -> list[dict[str, Any]]:
    """The transactions of a file of NDJSON; blank lines do not count.

    Raises:
        BadPlan: it cannot be read, holds none, or a line is no object; it is named.
    """
    try:
        with path.open("rb") as file:
            found = [_read(line, f"{path}, line {n}") for n, line in number_lines(file)]
    except OSError as error:
        raise BadPlan(f"{path} cannot be read ({error.strerror}).") from None
    if not found:
        raise BadPlan(f"{path} holds no transactions; write one JSON object a line.")
    return found


def _read(line: bytes | None, where: str) -> dict[str, Any]:
    if line is None:
        raise BadPlan(f"{where} is longer than {MAX_LINE_BYTES} bytes; shorten it.")
    try:
        value = strict_json.loads(line)
    except MalformedJson as error:
        raise BadPlan(f"{where}: {error}") from None
    if not isinstance(value, dict):
        raise BadPlan(f"{where}: a transaction is a JSON object.")
    return value


@contextmanager
def open_receipts(path: Path | None) -> Iterator[TextIO | None]:
    """A new file for receipts, opened before anything is sent; None where none is wanted.

    Raises:
        BadPlan: it cannot be written.
    """
    if path is None:
        yield None
        return
    try:
        file = path.open("w")
    except OSError as error:
        raise BadPlan(f"{path} cannot be written ({error.strerror}).") from None
    with file:
        yield file


def write_receipts(record: Record, file: TextIO) -> None:
    """Write one JSON object a line: kind, id, and the second at which it was accepted."""
    for kind, receipts in (("transaction", record.receipts), ("job", record.jobs)):
        for name, at_s in receipts.items():
            line = {"kind": kind, "id": name, "accepted_at_s": round(at_s, 6)}
            file.write(json.dumps(line) + "\n")
