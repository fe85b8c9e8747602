"""How many processors this process may use: the machine's, its affinity's, its control group's.

A container's limit is a quota of time and not a number of processors: on 64 of them
`docker run --cpus=1` leaves 64 to be seen, and the time of one.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")


def count_processors(root: Path = _ROOT) -> int:
    """At least one; of a quota such as 1.5 both, since one could not use all of it.

    Args:
        root: where /proc and the control groups are.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, math.ceil(min([usable or 1, *_find_quotas(root)])))


def _find_quotas(root: Path) -> Iterator[float]:
    """The processors' worth of time of each control group that this process is in."""
    paths = {}  # its control group by controllers; "" stands for version 2
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        paths[controllers] = path
    for line in _read(root / "proc/self/mountinfo").splitlines():
        # see proc_pid_mountinfo(5): the fields after "-" follow optional ones
        mount, _, file_system = line.partition(" - ")
        kind, _, options = file_system.split(" ", 2)
        top, place = (_unescape(field) for field in mount.split(" ")[3:5])
        for controllers, path in paths.items():
            both = {*controllers.split(",")} & {*options.strip().split(",")}
            if (kind == "cgroup2" and not controllers) or (kind == "cgroup" and "cpu" in both):
                yield from _climb(root / place.lstrip("/"), top, path)


def _climb(mounted: Path, top: str, path: str) -> Iterator[float]:
    """The quotas from the group ``path`` up to what is ``mounted``, which is the group ``top``.

    A container sees its own group alone, mounted, and may know it by the name outside.
    """
    inside = Path(path)
    group = mounted / (inside.relative_to(top) if inside.is_relative_to(top) else "")
    while True:
        if quota := _read_quota(group):
            yield quota
        if group == mounted:
            return
        group = group.parent


def _read_quota(group: Path) -> float | None:
    """Time of processors in a time; version 2 has both in one file."""
    names = ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us")
    words = [word for name in names for word in _read(group / name).split()]
    match words:
        case quota, period if quota.isdecimal() and period.isdecimal() and int(period):
            return int(quota) / int(period)
    return None  # "max" or "-1"


def _read(path: Path) -> str:
    """What is there, or nothing: other systems have none of it."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _unescape(field: str) -> str:
    return field.encode().decode("unicode_escape") if "\\" in field else field
