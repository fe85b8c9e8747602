"""The data directory of a stack: made, locked, with a log for each part."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compose.errors import StartRefused

LARGE_LOG = 10 * 2**20  # bytes; a log that is larger becomes the old one
_TAIL = 2000  # bytes of a log that are worth showing


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Make ``data_dir`` and be the only one to use it; the kernel ends this with the process.

    Raises:
        StartRefused: it cannot be written, or another stack uses it.
    """
    try:
        (data_dir / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("a+")
    except OSError as error:
        raise StartRefused(
            f"The data directory {data_dir} cannot be written ({error.strerror}); "
            "name another with --data-dir or MINEQUEUE_DATA_DIR."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StartRefused(
                f"Another stack runs on {data_dir} (process {lock.read().strip()}); stop it, or "
                "name another directory with --data-dir."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


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
