"""A log that ends in zeros, as a loss of power leaves it."""

from pathlib import Path

import pytest

from minequeue.compose.stack.zero_tail import ZeroTail, cut, find_zero_tail

COMMANDS = [
    b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n",
    b"#TS:1700000000\r\n",
    b"*1\r\n$5\r\nMULTI\r\n",
    # zeros inside a command are data
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9\r\na\0\0\r\n\0b\0\0\r\n",
    b"*1\r\n$4\r\nEXEC\r\n",
]
LOG = b"".join(COMMANDS)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "ledger" / "appendonlydir"
    directory.mkdir(parents=True)
    (directory / "appendonly.aof.manifest").write_text(
        "file appendonly.aof.2.base.rdb seq 2 type b\n"
        "file appendonly.aof.7.incr.aof seq 7 type i\n"
        "file appendonly.aof.8.incr.aof seq 8 type i\n"
    )
    return directory / "appendonly.aof.8.incr.aof"


@pytest.mark.parametrize("last", range(len(COMMANDS)))
@pytest.mark.parametrize("zeros", [1, 2, 4096])
def test_zeros_after_whole_commands_or_in_the_middle_of_one_are_found_wherever_they_begin(
    log: Path, tmp_path: Path, last: int, zeros: int
) -> None:
    whole = b"".join(COMMANDS[:last])
    for kept in range(len(COMMANDS[last])):
        begun = COMMANDS[last][:kept].rstrip(b"\0")
        log.write_bytes(whole + begun + bytes(zeros))
        found = find_zero_tail(tmp_path)
        # zeros that would be the data of a begun command make it no whole one
        assert found == ZeroTail(log, len(whole), len(whole) + len(begun) + zeros), kept


def test_what_is_cut_off_is_kept_and_the_rest_is_the_log(log: Path, tmp_path: Path) -> None:
    log.write_bytes(LOG + b"*3\r\n$3\r\nSE" + bytes(3_000_000))
    tail = find_zero_tail(tmp_path)
    assert tail
    kept = cut(tail)
    assert log.read_bytes() == LOG
    assert kept.read_bytes() == b"*3\r\n$3\r\nSE" + bytes(3_000_000)
    assert kept == tmp_path / "ledger" / f"{log.name}.from-{len(LOG)}"
    assert find_zero_tail(tmp_path) is None


@pytest.mark.parametrize(
    "damaged",
    [
        LOG,
        LOG[:-3],
        b"",
        LOG + bytes(100) + LOG,
        LOG + b"nonsense" + bytes(100),
        LOG + b"*3\r\n$3\r\nSETxx" + bytes(100),
        LOG + b"*3\r\n3" + bytes(100),
        LOG + b"*-1\r\n" + bytes(100),
        bytes(10) + LOG + bytes(10),
    ],
)
def test_a_log_that_is_whole_or_damaged_otherwise_is_left_as_it_is(
    log: Path, tmp_path: Path, damaged: bytes
) -> None:
    log.write_bytes(damaged)
    assert find_zero_tail(tmp_path) is None


def test_without_a_log_there_is_nothing_to_cut(log: Path, tmp_path: Path) -> None:
    assert find_zero_tail(tmp_path) is None
    assert find_zero_tail(tmp_path / "nowhere") is None
    log.write_bytes(bytes(5))
    assert find_zero_tail(tmp_path) == ZeroTail(log, 0, 5)
