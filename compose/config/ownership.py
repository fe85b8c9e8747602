"""Whose a path is: what others could have written, or could put in its place, is not used.

A server, pickled history and machine code are run from what lies in a data directory.
"""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from minequeue.compose.errors import StartRefused

_ROOT = 0  # as a user and as a group: may do anything anyhow
_MAX_LINKS = 40  # on the way to one path, as Linux has it


def check_way(path: Path) -> None:
    """See that nobody but us and root can put something else in the place of ``path``.

    As far as it is there: who makes the rest looks again.

    Raises:
        StartRefused: it, a link or a directory on the way is another user's, or may be renamed by
            others, or it is a file that others may write.
    """
    above: os.stat_result | None = None
    for step, status in _walk(path):
        if status.st_uid not in _trusted():
            raise StartRefused(
                f"{step} belongs to {_name(status.st_uid)}, who could put anything in its place; "
                "take a directory of your own."
            )
        if above is not None and _is_open(above) and not above.st_mode & stat.S_ISVTX:
            raise StartRefused(
                f"Others may rename {step}, since they may write to {step.parent}; take a "
                "directory that only you may write to."
            )
        if stat.S_ISDIR(status.st_mode):
            above = status
        elif stat.S_ISREG(status.st_mode) and _is_open(status):
            raise StartRefused(f"Others may write {step}; remove it, or take another file.")


def check_content(path: Path) -> None:
    """See that all that lies at ``path``, and in it, is ours or root's.

    Raises:
        StartRefused: something is another user's.
    """
    for found in (path, *path.rglob("*")):
        try:
            owner = found.lstat().st_uid
        except FileNotFoundError:
            continue  # it went meanwhile
        if owner not in _trusted():
            raise StartRefused(
                f"{found} belongs to {_name(owner)} and is not trusted; remove it, or take a "
                "directory of your own."
            )


def is_ours(path: Path) -> bool:
    """Whether it belongs to the user that this process runs as."""
    return path.stat().st_uid == os.getuid()


def _walk(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every step of the way, links included and followed, as far as it is there."""
    here, links = Path("/"), 0
    parts = list(path.absolute().parts[1:])
    yield here, here.lstat()
    while parts:
        part = parts.pop(0)
        if part == os.pardir:
            here = here.parent
            continue
        step = here / part
        try:
            status = step.lstat()
        except FileNotFoundError:
            return
        yield step, status
        if not stat.S_ISLNK(status.st_mode):
            here = step
            continue
        links += 1
        if links > _MAX_LINKS:
            raise StartRefused(f"{path} leads through too many links.")
        target = step.readlink()
        here = Path("/") if target.is_absolute() else here
        parts = [*target.parts[1 if target.is_absolute() else 0 :], *parts]


def _is_open(found: os.stat_result) -> bool:
    """Whether others may write to it."""
    by_group = found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid)
    return bool(by_group or found.st_mode & stat.S_IWOTH)


def _is_private(group: int) -> bool:
    """Whether a group is root's, or has nobody but us, as many systems give each user one."""
    if group == _ROOT:
        return True
    try:
        us, found = pwd.getpwuid(os.getuid()), grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_gid == us.pw_gid and found.gr_name == us.pw_name and not found.gr_mem


def _trusted() -> set[int]:
    return {os.getuid(), _ROOT}


def _name(user: int) -> str:
    try:
        return f"the user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"the user {user}"
