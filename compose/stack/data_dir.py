"""The data directory of a stack: made, locked, with a log for each part."""

import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import psutil

from minequeue.compose.config.ownership import check_content, check_way, is_ours
from minequeue.compose.errors import StartRefused

LARGE_LOG = 10 * 2**20  # bytes; a log that is larger becomes the old one
_TAIL = 2000  # bytes of a log that are worth showing


@contextmanager
def hold(data_dir: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Make ``data_dir`` and be the only one to use it; the kernel ends this with the process.

    Args:
        data_dir: by any path; it, and the way to it, must be ours.
        say: is told if others could read it, which they no longer can.

    Returns:
        Its path without links.

    Raises:
        StartRefused: it cannot be written, is not ours alone, or another stack uses it.
    """
    try:
        _make(data_dir, say)
        place = data_dir.resolve(strict=True)
        lock = _open_lock(place / "lock")
    except OSError as error:
        raise StartRefused(
            f"The data directory {data_dir} cannot be written ({error.strerror}); "
            "name another with --data-dir or MINEQUEUE_DATA_DIR."
        ) from None
    with lock:
        if not _take(lock):
            raise StartRefused(
                f"Another stack runs on {data_dir} (process {lock.read().strip()}); stop it, or "
                "name another directory with --data-dir."
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield place


@contextmanager
def hold_log(data_dir: Path) -> Iterator[int]:
    """Be the only one that opens the server's log, which two servers would tear.

    Returns:
        The descriptor that the server inherits. It holds the lock as long as the server lives,
        even if whoever started it was killed.

    Raises:
        StartRefused: a server has the log open.
    """
    ledger = data_dir / "ledger"
    ledger.mkdir(mode=0o700, exist_ok=True)
    with _open_lock(ledger / "lock") as lock:
        if not _take(lock):
            raise StartRefused(
                f"A server that an earlier start left behind still writes the log of {data_dir}"
                f"{_name_holder(ledger / 'lock')}; `minequeue up` on that directory ends it."
            )
        yield lock.fileno()


def _make(data_dir: Path, say: Callable[[str], None]) -> None:
    """Make it, if it is not there, so that nobody else gets in."""
    check_way(data_dir)
    for directory in (*reversed(data_dir.absolute().parents), data_dir):
        directory.mkdir(mode=0o700, exist_ok=True)
    check_way(data_dir)
    if not is_ours(data_dir):
        raise StartRefused(
            f"The data directory {data_dir} is not yours; run this as its owner, or name another "
            "with --data-dir or MINEQUEUE_DATA_DIR."
        )
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if mode & 0o077:
        data_dir.chmod(0o700)
        say(f"{data_dir} was open to others ({mode:o}); now only you have access (700)")
    check_content(data_dir.resolve())
    (data_dir / "logs").mkdir(mode=0o700, exist_ok=True)


def _open_lock(path: Path) -> TextIO:
    """A file to lock, which nobody else may open."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "r+")


def _take(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _name_holder(lock: Path) -> str:
    """Which other process has it open, as far as this user may see."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(
                Path(file.path).samefile(lock) for file in process.open_files()
            ):
                return f" (process {process.pid})"
    return ""


def log_path(data_dir: Path, part: str) -> Path:
    """The log of ``part``."""
    return data_dir / "logs" / f"{part}.log"


def rotate_log(path: Path) -> None:
    """Where the log is large, make it the old one; who is appending to it goes on in an empty one.

    What is written between the two steps is lost, which may be a few lines.
    """
    if path.exists() and path.stat().st_size > LARGE_LOG:
        shutil.copyfile(path, path.with_suffix(".old.log"))
        os.truncate(path, 0)


def read_tail(path: Path) -> str:
    """The end of a log, or why it cannot be read."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL))
            return log.read().decode(errors="replace").strip()
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
