"""Reading a backup: whole lines in their order, bounded, up to an end that vouches for them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import IO

from minequeue.chain.errors import MalformedJson
from minequeue.chain.protocol.block import Block
from minequeue.compose.backup.errors import BadBackup
from minequeue.compose.backup.lines import (
    FORMAT,
    MAX_LINE_BYTES,
    Content,
    End,
    JobLine,
    Network,
    TransactionLine,
    decode,
    read_head,
)
from minequeue.compose.check.chain_page import CannotRead
from minequeue.compose.text.file import drop_mark

_ORDER = (Block, JobLine, TransactionLine)


def read_lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    """The whole lines of ``file``, each with its end.

    Raises:
        BadBackup: a line is too long to be one, or the last one is torn.
        CannotRead: the file cannot be read.
    """
    number = 0
    while True:
        number += 1
        try:
            line = file.readline(MAX_LINE_BYTES + 1)
        except OSError as error:
            raise CannotRead(f"{name} cannot be read ({error.strerror}).") from None
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            raise BadBackup(f"{name}, line {number} is longer than any line of a backup.")
        if not line.endswith(b"\n"):
            raise _cut(name, f"it breaks off in line {number}")
        yield line


def read_backup(file: IO[bytes], name: str) -> tuple[Network, Iterator[Content]]:
    """The first line, and what the others hold, up to an end line that agrees with all of them.

    Raises:
        BadBackup: a line is no such line or in the wrong place, or the end is missing or disagrees;
            raised where it is met, after what stands before it was given.
        CannotRead: the file cannot be read.
    """
    lines = read_lines(file, name)
    raw = drop_mark(next(lines, b""))
    _check_format(raw, name)
    first = _decode(raw, name, 1)
    if not isinstance(first, Network):
        raise BadBackup(f"{name} is no backup: it does not begin with its network.")
    return first, _read_contents(lines, raw, name)


def _check_format(raw: bytes, name: str) -> None:
    """See that the lines are of a format that is known here."""
    with suppress(MalformedJson):  # then it is no first line, which is said of it as a line
        head = read_head(raw)
        if head.format != FORMAT:
            raise BadBackup(
                f"{name} has the format {head.format}, and this version reads {FORMAT}; use "
                f"minequeue {head.reader} or later."
            )


def _read_contents(lines: Iterator[bytes], first: bytes, name: str) -> Iterator[Content]:
    digest, counts, reached = sha256(first), Counter[type](), 0
    for number, raw in enumerate(lines, 2):
        line = _decode(raw, name, number)
        if isinstance(line, End):
            if line != _sum_up(counts, digest.hexdigest()):
                raise _changed(name)
            if next(lines, None) is not None:
                raise BadBackup(f"{name} goes on after its end line.")
            return
        if isinstance(line, Network) or _ORDER.index(type(line)) < reached:
            raise BadBackup(f"{name}, line {number} is not where it belongs.")
        reached = _ORDER.index(type(line))
        digest.update(raw)
        counts[type(line)] += 1
        yield line
    raise _no_end(name)


def validate_frame(file: IO[bytes], name: str) -> int:
    """See that the file is whole and unchanged, without looking at what its lines say.

    Args:
        file: what can be sought in; it is left at its start.
        name: of the file.

    Returns:
        Its size in bytes.

    Raises:
        BadBackup: it is not whole, or was changed.
        CannotRead: it cannot be read.
    """
    file.seek(0)
    digest, last, number, size = sha256(), b"", 0, 0
    for line in read_lines(file, name):
        digest.update(last)
        last = line if number else drop_mark(line)
        number += 1
        size += len(line)
    file.seek(0)
    end = _decode(last, name, number)
    if not isinstance(end, End):
        raise _no_end(name)
    if end.sha256 != digest.hexdigest():
        raise _changed(name)
    return size


def _decode(raw: bytes, name: str, number: int) -> Network | Content | End:
    try:
        return decode(raw)
    except BadBackup as error:
        raise BadBackup(f"{name}, line {number} {error}.") from None


def _sum_up(counts: Counter[type], digest: str) -> End:
    return End(counts[Block], counts[JobLine], counts[TransactionLine], digest)


def _changed(name: str) -> BadBackup:
    return BadBackup(f"{name} was changed: its lines are not those that its end line vouches for.")


def _no_end(name: str) -> BadBackup:
    return _cut(name, "it has no end line")


def _cut(name: str, why: str) -> BadBackup:
    return BadBackup(
        f"{name} is not whole, {why}: go on with minequeue export FILE --resume where it was made."
    )
