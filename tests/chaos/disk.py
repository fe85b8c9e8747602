"""A small disk for a ledger, where the system lets this user mount one."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

_SIZE = "128m"  # far more than a stack's few rounds write


def mount_small(directory: Path, opened: ExitStack) -> bool:
    """Mount a file system at ``directory`` until ``opened`` is closed; tell if that is allowed."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "tmpfs", str(directory)]
    try:
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            return False
    except FileNotFoundError:
        return False
    opened.callback(subprocess.run, ["umount", str(directory)], check=True)
    return True
