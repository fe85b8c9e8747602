"""Finds a Python of another version on this machine."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# where tools that keep several Pythons put them, which need not be on PATH; seen from home
_KEPT = (".pyenv/versions/{}.*/bin/python", ".local/share/uv/python/cpython-{}.*/bin/python")


def find_python(version: str) -> str | None:
    """The executable of a Python of this version, such as "3.12", or None."""
    for candidate in _candidates(version):
        if _version_of(candidate) == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    for pattern in _KEPT:
        yield from map(str, sorted(Path.home().glob(pattern.format(version)), reverse=True))


def _version_of(python: str) -> str:
    say = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(  # noqa: S603  # found by the name of an interpreter
        [python, "-c", say], capture_output=True, text=True, check=False
    ).stdout.strip()
