"""What another user made, or could put in the place of a data directory, is not used."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from minequeue.compose.cli.main import cli
from minequeue.compose.config.ownership import check_content, check_way
from minequeue.compose.errors import StartRefused
from minequeue.compose.stack.data_dir import hold, hold_log

OTHER = 12_345  # a user that is not on this machine, and a group that nobody is in

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")


@pytest.fixture
def said() -> list[str]:
    return []


def take(path: Path, said: list[str]) -> Path:
    with hold(path, said.append) as place:
        return place


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_open_to_nobody_else(tmp_path: Path, said: list[str]) -> None:
    data = tmp_path / "some" / "where" / "data"
    before = os.umask(0)
    try:
        take(data, said)
        with hold_log(data):
            pass
    finally:
        os.umask(before)
    made = [data.parents[1], data.parent, data, data / "logs", data / "ledger"]
    assert {path: mode_of(path) for path in made} == dict.fromkeys(made, 0o700)
    locks = [data / "lock", data / "ledger" / "lock"]
    assert {path: mode_of(path) for path in locks} == dict.fromkeys(locks, 0o600)
    assert said == []


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o777, 0o701])
def test_what_is_ours_and_open_is_closed_and_that_is_said(
    tmp_path: Path, said: list[str], mode: int
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    take(data, said)
    assert mode_of(data) == 0o700
    assert said == [f"{data} was open to others ({mode:o}); now only you have access (700)"]
    take(data, said)
    assert len(said) == 1


@as_root
def test_a_directory_of_another_user_is_refused(tmp_path: Path, said: list[str]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, OTHER, OTHER)
    with pytest.raises(StartRefused, match=f"{data} belongs to the user {OTHER}"):
        take(data, said)
    assert list(data.iterdir()) == []


@as_root
def test_a_link_of_another_user_is_refused_and_our_own_is_followed(
    tmp_path: Path, said: list[str]
) -> None:
    data, link = tmp_path / "data", tmp_path / "link"
    data.mkdir(mode=0o700)
    link.symlink_to(data)
    assert take(link, said) == data
    os.chown(link, OTHER, OTHER, follow_symlinks=False)
    with pytest.raises(StartRefused, match=f"{link} belongs to the user {OTHER}"):
        take(link, said)
    with pytest.raises(StartRefused, match=f"{link} belongs to the user {OTHER}"):
        take(link / "below", said)


@as_root
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o703])
def test_a_directory_that_others_may_rename_is_refused(
    tmp_path: Path, said: list[str], mode: int
) -> None:
    above = tmp_path / "above"
    (above / "data").mkdir(parents=True)
    os.chown(above, 0, OTHER)
    above.chmod(mode)
    with pytest.raises(StartRefused, match=f"Others may rename {above / 'data'}"):
        take(above / "data", said)
    # with this bit, as /tmp has it, they may rename what is theirs alone
    above.chmod(mode | stat.S_ISVTX)
    assert take(above / "data", said) == above / "data"


@as_root
def test_nothing_is_left_in_a_directory_where_others_may_rename(
    tmp_path: Path, said: list[str]
) -> None:
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(0o777)
    with pytest.raises(StartRefused, match="Others may rename"):
        take(above / "data", said)


def test_the_group_that_a_user_has_alone_is_nobody_else(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "above").mkdir()
    (tmp_path / "above").chmod(0o775)
    take(tmp_path / "above" / "data", said)


@as_root
@pytest.mark.parametrize("name", ["flower.db", "kernels/code.o", "ledger/appendonlydir/x.aof"])
def test_content_of_another_user_is_refused(tmp_path: Path, said: list[str], name: str) -> None:
    planted = tmp_path / "data" / name
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"")
    os.chown(planted, OTHER, OTHER)
    with pytest.raises(StartRefused, match=f"{planted} belongs to the user {OTHER}"):
        take(tmp_path / "data", said)


@as_root
@pytest.mark.parametrize(("owner", "mode"), [(OTHER, 0o644), (0, 0o666)])
def test_history_that_others_could_have_written_is_not_read(
    tmp_path: Path, owner: int, mode: int
) -> None:
    history = tmp_path / "flower.db"
    history.write_bytes(b"")
    check_way(history)
    os.chown(history, owner, 0)
    history.chmod(mode)
    done = CliRunner().invoke(cli, ["flower", "--history", str(history)])
    assert isinstance(done.exception, StartRefused)
    assert str(history) in str(done.exception)


@as_root
def test_no_command_takes_the_server_of_another_user_for_ours(tmp_path: Path) -> None:
    os.chown(tmp_path, OTHER, OTHER)
    for words in (["export", "-"], ["worker"]):
        done = CliRunner().invoke(cli, [*words, "--data-dir", str(tmp_path)])
        assert isinstance(done.exception, StartRefused), words
        assert str(tmp_path) in str(done.exception)


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(StartRefused, match="too many links"):
        check_way(tmp_path / "a")


def test_what_is_not_there_is_nobodys(tmp_path: Path) -> None:
    check_way(tmp_path / "not" / ".." / "there")
    check_content(tmp_path / "not there")


def test_one_directory_is_held_once_by_whatever_path(tmp_path: Path, said: list[str]) -> None:
    data, link = tmp_path / "data", tmp_path / "link"
    link.symlink_to(data)
    with hold(data, said.append):
        with pytest.raises(StartRefused, match=rf"Another stack .*process {os.getpid()}\)"):
            take(link, said)
        with hold_log(data), pytest.raises(StartRefused, match="still writes the log"):
            hold_log(link).__enter__()


@pytest.fixture
def heir(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that has inherited the lock of the log; whoever started it has gone."""
    tmp_path.chmod(0o700)
    with hold_log(tmp_path) as lock:
        process = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    yield process
    process.kill()
    process.wait()


def test_whoever_inherited_the_lock_of_the_log_holds_it_until_it_ends(
    tmp_path: Path, heir: "subprocess.Popen[bytes]"
) -> None:
    with pytest.raises(StartRefused, match=rf"\(process {heir.pid}\)"):
        hold_log(tmp_path).__enter__()
    heir.kill()
    heir.wait()
    with hold_log(tmp_path):
        pass
