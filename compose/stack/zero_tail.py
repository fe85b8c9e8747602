"""Zero bytes at the end of the server's log, as a loss of power leaves them: found, and cut off.

The file had grown already and the data was not on disk yet, so none of it was acknowledged: the
server answers after its fsync. It starts from a log that ends in the middle of a command, but not
from one with zeros there.
"""

import mmap
import os
import re
from dataclasses import dataclass
from pathlib import Path

_HEAD = re.compile(rb"\*(\d{1,10})\r\n")
_SIZE = re.compile(rb"\$(\d{1,10})\r\n")
_NOTE = re.compile(rb"#[^\r\n\0]*\r\n")
# what a head or a size may begin with
_PART_OF_HEAD = re.compile(rb"(\*(\d{1,10}\r?)?|#[^\r\n\0]*\r?)?")
_PART_OF_SIZE = re.compile(rb"(\$(\d{1,10}\r?)?)?")


@dataclass(frozen=True, slots=True)
class ZeroTail:
    """A log whose end can be cut off.

    Attributes:
        log: the file.
        end: of the last whole command, bytes from the file's begin.
        size: the file's bytes.
    """

    log: Path
    end: int
    size: int


def find_zero_tail(data_dir: Path) -> ZeroTail | None:
    """What can be cut off the log of a server that does not run, or None.

    Nothing can if the log is damaged otherwise: zeros with something after them, or something in
    the last command that is none of its begin.
    """
    log = _find_last_log(data_dir / "ledger" / "appendonlydir")
    size = log.stat().st_size if log else 0
    if log is None or not size:
        return None
    with log.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\0":
            return None  # no whole command ends so
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            end = _find_end(raw)
    return None if end is None else ZeroTail(log, end, size)


def cut(tail: ZeroTail) -> Path:
    """Cut it off; all of it is kept in a file beside the ledger, whose path is given."""
    kept = tail.log.parents[1] / f"{tail.log.name}.from-{tail.end}"
    with tail.log.open("r+b") as log:
        log.seek(tail.end)
        with kept.open("wb") as copy:
            os.fchmod(copy.fileno(), 0o600)
            while piece := log.read(2**20):
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        log.truncate(tail.end)
        os.fsync(log.fileno())
    return kept


def _find_last_log(directory: Path) -> Path | None:
    """The file that the server was writing: the manifest's last increment."""
    try:
        manifest = (directory / "appendonly.aof.manifest").read_text()
    except FileNotFoundError:
        return None
    names = re.findall(r"^file (\S+) seq \d+ type i", manifest, re.MULTILINE)
    log = directory / names[-1] if names else None
    return log if log and log.is_file() else None


def _find_end(raw: mmap.mmap) -> int | None:
    """Where the last whole command ends, if nothing but a begun one and zeros follow."""
    zeros = len(raw)
    while zeros and raw[zeros - 1] == 0:
        zeros -= 1
    end = 0
    while True:
        if note := _NOTE.match(raw, end):
            end = note.end()
            continue
        head = _HEAD.match(raw, end)
        if not head:
            return end if _PART_OF_HEAD.fullmatch(raw, end, max(end, zeros)) else None
        at = head.end()
        for _ in range(int(head[1])):
            size = _SIZE.match(raw, at)
            if not size:
                return end if _PART_OF_SIZE.fullmatch(raw, at, max(at, zeros)) else None
            at = size.end() + int(size[1])
            if raw[at : at + 2] != b"\r\n":
                return end if raw[at : max(at, zeros)] in {b"", b"\r"} else None
            at += 2
        end = at
