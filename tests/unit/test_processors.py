"""How many processors a process may use, by affinity and by control groups that are made here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minequeue.compose.config.processors import count_processors

# of proc_pid_mountinfo(5): id, parent, device, root, mount point, options - type, source, options
V2 = "41 31 0:37 {root} {place} rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "32 31 0:29 {root} {place} rw,relatime - cgroup cgroup rw,{controllers}\n"
USABLE = os.sched_getaffinity(0)


def find_groups() -> Path | None:
    """Where control groups with quotas of processor time may be made, if anywhere."""
    for place in (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")):
        enabled = place / "cgroup.subtree_control"
        has_quotas = not enabled.exists() or "cpu" in enabled.read_text().split()
        if (place / "cgroup.procs").exists() and has_quotas and os.access(place, os.W_OK):
            return place
    return None


GROUPS = find_groups()


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def version_2(tmp_path: Path, group: str, root: str = "/", **quotas: str) -> int:
    """Count in a tree of version 2, in ``group``, with quotas by the group's name, "" for top."""
    write(tmp_path / "proc/self/cgroup", f"0::{group}\n")
    write(tmp_path / "proc/self/mountinfo", V2.format(root=root, place="/sys/fs/cgroup"))
    for name, quota in quotas.items():
        place = name.removeprefix("top").replace("__", "/")
        write(tmp_path / "sys/fs/cgroup" / place / "cpu.max", quota + "\n")
    return count_processors(tmp_path)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 8),
        ("800000 100000", 8),
        ("900000 100000", 8),
        ("700001 100000", 8),
        ("700000 100000", 7),
        ("150000 100000", 2),
        ("100001 100000", 2),
        ("100000 100000", 1),
        ("1000 100000", 1),
        ("20000 10000", 2),
        ("", 8),
        ("garbage", 8),
        ("100000 0", 8),
    ],
)
def test_a_quota_bounds_the_processors_of_a_container(
    tmp_path: Path, quota: str, expected: int
) -> None:
    assert version_2(tmp_path, "/", top=quota) == expected


def test_the_least_quota_of_a_group_and_those_above_it_counts(tmp_path: Path) -> None:
    quotas = {"slice": "300000 100000", "slice__unit": "max 100000", "slice__unit__scope": "5 1"}
    assert version_2(tmp_path, "/slice/unit/scope", **quotas) == 3


def test_the_quota_of_a_group_beside_ours_does_not_count(tmp_path: Path) -> None:
    assert version_2(tmp_path, "/ours", ours="400000 100000", ours2="100000 100000") == 4


def test_a_container_that_knows_its_group_by_the_name_outside_reads_what_is_mounted(
    tmp_path: Path,
) -> None:
    assert version_2(tmp_path, "/docker/abc", root="/docker/abc", top="200000 100000") == 2
    assert version_2(tmp_path, "/docker/abc", root="/other", top="200000 100000") == 2


def test_a_group_within_the_container_is_found_below_what_is_mounted(tmp_path: Path) -> None:
    quotas = {"top": "max 100000", "app": "200000 100000"}
    assert version_2(tmp_path, "/docker/abc/app", root="/docker/abc", **quotas) == 2


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("100000", 1), ("250000", 3), ("", 8)])
def test_version_1_keeps_quota_and_period_apart(
    tmp_path: Path, controllers: str, quota: str, expected: int
) -> None:
    groups = f"5:memory:/docker/abc\n4:{controllers}:/docker/abc\n3:cpuset:/\n0::/\n"
    write(tmp_path / "proc/self/cgroup", groups)
    mounts = V1.format(root="/", place="/sys/fs/cgroup/cpu", controllers=controllers)
    mounts += V1.format(root="/", place="/sys/fs/cgroup/memory", controllers="memory")
    write(tmp_path / "proc/self/mountinfo", mounts)
    group = tmp_path / "sys/fs/cgroup/cpu/docker/abc"
    write(group / "cpu.cfs_quota_us", quota)
    write(group / "cpu.cfs_period_us", "100000\n")
    # a quota of another controller's hierarchy is none of ours
    write(tmp_path / "sys/fs/cgroup/memory/docker/abc/cpu.cfs_quota_us", "1")
    assert count_processors(tmp_path) == expected


def test_a_mount_point_with_a_space_is_read(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    write(tmp_path / "proc/self/mountinfo", V2.format(root="/", place=r"/my\040groups"))
    write(tmp_path / "my groups/cpu.max", "200000 100000")
    assert count_processors(tmp_path) == 2


def test_where_there_are_no_control_groups_the_affinity_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count_processors(tmp_path) == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5})
    assert count_processors(tmp_path) == 1


def test_where_there_is_no_affinity_the_machine_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert count_processors(tmp_path) == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert count_processors(tmp_path) == 1


def defaults_of(*prefix: str) -> dict[str, object]:
    """The settings that follow the processors, of a process that is started by ``prefix``.

    They are made when they are imported, so one of its own is needed.
    """
    code = (
        "import json; from minequeue.compose.config.settings import Settings; found = Settings();"
        "print(json.dumps({'miners': found.miners, 'web_processes': found.web_processes}))"
    )
    command = [*prefix, sys.executable, "-c", code]
    said: dict[str, object] = json.loads(subprocess.check_output(command))
    return said


def test_what_is_not_set_follows_the_processors_of_the_process() -> None:
    said = defaults_of("taskset", "--cpu-list", str(min(USABLE)))
    assert said == {"miners": [1, 1], "web_processes": 1}


if GROUPS:  # else none may be made here

    def test_a_real_control_group_bounds_what_is_not_set() -> None:
        assert GROUPS
        group = GROUPS / f"minequeue-test-{os.getpid()}"
        group.mkdir()
        try:
            if (group / "cpu.max").exists():
                (group / "cpu.max").write_text("100000 100000")
            else:
                (group / "cpu.cfs_quota_us").write_text("100000")
            joined = f'echo $$ > {group}/cgroup.procs && exec "$@"'
            said = defaults_of("sh", "-c", joined, "sh")
            assert said == {"miners": [1, 1], "web_processes": 1}
        finally:
            group.rmdir()
