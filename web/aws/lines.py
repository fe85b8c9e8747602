"""The lines of a stream, each with its place, in memory of a few parts and the longest line."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

_PART_BYTES = 256 * 1024


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


class Line(NamedTuple):
    """One line.

    Attributes:
        number: from 1.
        offset: of its first byte.
        text: its bytes without the line feed; of one that is too long, one more than the longest.
    """

    number: int
    offset: int
    text: bytes


def iterate_lines(stream: Readable, *, longest: int) -> Iterator[Line]:
    """The lines of ``stream`` that are not blank.

    Args:
        stream: what is read, to its end.
        longest: the most bytes of a line that are of use.
    """
    number, offset, length, held = 1, 0, 0, b""
    for part in _iterate_parts(stream):
        *ends, begin = part.split(b"\n")
        for end in ends:
            text = (held + end)[: longest + 1]
            if text.strip():
                yield Line(number, offset, text)
            number, offset = number + 1, offset + length + len(end) + 1
            length, held = 0, b""
        length, held = length + len(begin), (held + begin)[: longest + 1]


def _iterate_parts(stream: Readable) -> Iterator[bytes]:
    while part := stream.read(_PART_BYTES):
        yield part
    yield b"\n"  # ends the last line, whether it was ended or not
