"""The file of a backup, or a standard stream; never one that somebody else writes."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from minequeue.compose.backup.errors import CannotExport
from minequeue.compose.check.chain_page import CannotRead

STANDARD = "-"  # the name of the standard streams


def describe(name: str) -> str:
    """How a file that is written is called in a sentence."""
    return "standard output" if name == STANDARD else name


@contextmanager
def open_to_write(name: str, *, is_resumed: bool) -> Iterator[IO[bytes]]:
    """The file to export to: a new one, or to be resumed one that may be there.

    Raises:
        CannotExport: it is there and not to be resumed, cannot be written, or another export
            writes it.
    """
    if name == STANDARD:
        with _closed_quietly():
            yield sys.stdout.buffer
        return
    try:
        if is_resumed:
            Path(name).touch()
        file = Path(name).open("r+b" if is_resumed else "x+b")  # noqa: SIM115  # closed below
    except FileExistsError:
        raise CannotExport(
            f"{name} exists; name another file, or let --resume bring it up to date."
        ) from None
    except OSError as error:
        raise CannotExport(f"{name} cannot be written ({error.strerror}).") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    except BlockingIOError:
        raise CannotExport(f"Another export writes {name}; wait for it.") from None
    finally:
        with suppress(OSError):  # of a full disk, which was told when the lines were written
            file.close()


@contextmanager
def open_to_read(name: str) -> Iterator[IO[bytes]]:
    """The file to import.

    Raises:
        CannotRead: it cannot be read.
    """
    if name == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  # closed below
    except OSError as error:
        raise CannotRead(f"{name} cannot be read ({error.strerror}).") from None
    with file:
        yield file


@contextmanager
def _closed_quietly() -> Iterator[None]:
    """A reader of standard output that went away is told of once, not again at the exit."""
    try:
        yield
    except CannotExport:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
