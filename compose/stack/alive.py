"""Whether a process runs.

A dead one stays listed until its parent has waited for it. Where that parent is init, as it is for
what a killed process leaves behind, this may take seconds.
"""

import psutil


def is_alive(process: psutil.Process) -> bool:
    """Tell whether ``process`` can still do anything."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
