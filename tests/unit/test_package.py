"""What is imported: one package, whose folders lie beside it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(each.name for each in (ROOT / "minequeue").iterdir() if each.is_symlink())


def test_the_package_has_the_four_folders() -> None:
    assert FOLDERS == ["chain", "compose", "web", "workers"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_not_imported_beside_the_package(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"ImportError: import minequeue.{name}" in done.stderr
