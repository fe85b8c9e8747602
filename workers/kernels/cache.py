"""Machine code that was made once is kept on disk, for the same source and the same processor."""

import logging
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

_DIGEST_SIZE = 32
_OTHERS_MAY_WRITE = 0o022
_ROOT = 0
_log = logging.getLogger(__name__)


class CodeCache:
    """A directory of object files; one that cannot be used only costs the time to make them.

    Args:
        directory: where; made when first needed.
        installed: another, that is only read, and first.
    """

    def __init__(self, directory: Path, installed: Path | None = None) -> None:
        self._directory = directory
        self._places = [place for place in (installed, directory) if place is not None]

    def get(self, key: bytes, make: Callable[[], bytes]) -> bytes:
        """The code kept under ``key``, which is whatever it depends on; made if there is none."""
        name = f"{sha256(key).hexdigest()}.o"
        for place in self._places:
            code = _read(place / name)
            if code is not None:
                return code
        code = make()
        self._write(self._directory / name, code)
        return code

    def _write(self, path: Path, code: bytes) -> None:
        part = path.with_suffix(f".{os.getpid()}")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(sha256(code).digest() + code)
            part.chmod(0o600)
            part.replace(path)  # at once, so that no other process reads the half
        except OSError as error:
            _log.warning("machine code is not kept, each start makes it anew: %s", error)


def _read(path: Path) -> bytes | None:
    """What ``path`` holds; None where there is nothing that can be trusted."""
    try:
        if not _is_safe(path.parent) or not _is_safe(path):
            return None
        kept = path.read_bytes()
    except OSError:
        return None
    digest, code = kept[:_DIGEST_SIZE], kept[_DIGEST_SIZE:]
    return code if sha256(code).digest() == digest else None


def _is_safe(path: Path) -> bool:
    """Whether nobody else could have written it: it is going to be run."""
    status = path.stat()
    return is_trusted(status.st_uid, status.st_mode, os.getuid())


def is_trusted(owner: int, mode: int, user: int) -> bool:
    """Whether only ``user``, or root, who may do anything anyhow, can write what has this mode."""
    return owner in {user, _ROOT} and not mode & _OTHERS_MAY_WRITE
