"""Text files that commands are given: UTF-8, in bounded parts, with or without a mark at the start.

Some editors and spreadsheets begin a file with the byte order mark. It is no character of the text.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MAX_LINE_BYTES = 1024 * 1024  # of a line that holds a transaction, which has a fiftieth


def drop_mark(text: bytes) -> bytes:
    """The beginning of a text without the mark."""
    return text.removeprefix(BOM_UTF8)


def read_text(path: Path, most: int) -> bytes:
    """The first ``most`` bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return drop_mark(file.read(most))


def number_lines(source: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank, with their numbers from 1 and without their ends.

    None stands for a line of more than :data:`MAX_LINE_BYTES`.

    Raises:
        OSError: the source cannot be read.
    """
    number = 0
    while raw := source.readline(MAX_LINE_BYTES + len(BOM_UTF8 + b"\r\n")):
        number += 1
        line = (drop_mark(raw) if number == 1 else raw).rstrip(b"\r\n")
        is_whole = len(line) <= MAX_LINE_BYTES
        while raw and not raw.endswith(b"\n"):
            raw = source.readline(MAX_LINE_BYTES)
            is_whole = is_whole and not raw.rstrip(b"\r\n")
        if not is_whole:
            yield number, None
        elif line.strip():
            yield number, line
