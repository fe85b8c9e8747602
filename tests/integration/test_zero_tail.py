"""A real server's log that ends in zeros: it does not start; cut, it keeps what it acknowledged."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from minequeue.chain.ledger import open_redis
from minequeue.compose.cli.main import cli
from minequeue.compose.errors import StartRefused
from minequeue.compose.stack.zero_tail import cut, find_zero_tail
from tests.ledgers import make_ledger, mine_all, read_chain, submit
from tests.server import start_server, url_of

# what becomes of a log whose last script wrote so many bytes
DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "after whole commands": lambda log, _: log + bytes(5000),
    "in the middle of a command": lambda log, _: log[:-7] + bytes(4096),
    "in the middle of a transaction": lambda log, last: log[: -last // 2] + bytes(4096),
    "all of the last write": lambda log, last: log[:-last] + bytes(last),
}


def run(data_dir: Path) -> "subprocess.Popen[bytes]":
    return start_server(data_dir)


def find_log(data_dir: Path) -> Path:
    [log] = (data_dir / "ledger" / "appendonlydir").glob("*.incr.aof")
    return log


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_log_that_ends_in_zeros_is_mended_and_nothing_acknowledged_is_lost(
    tmp_path: Path, damage: str
) -> None:
    tmp_path.chmod(0o700)
    server = run(tmp_path)
    ledger = make_ledger(open_redis(url_of(tmp_path), wait_s=5))
    submit(ledger, 7)
    mine_all(ledger)
    submit(ledger, 3)
    chain, size = read_chain(ledger), find_log(tmp_path).stat().st_size
    submit(ledger, 1)  # the one whose answer the loss of power is before
    server.kill()
    server.wait()
    log = find_log(tmp_path)
    whole = log.read_bytes()
    log.write_bytes(DAMAGES[damage](whole, len(whole) - size))
    damaged = log.read_bytes()
    with pytest.raises(StartRefused):
        run(tmp_path)
    assert log.read_bytes() == damaged
    check = CliRunner().invoke(cli, ["check", str(tmp_path), "--network", "test", "--bits", "4"])
    assert check.exit_code == 1
    assert "ends in zeros, as after a loss of power" in str(check.exception)
    assert log.read_bytes() == damaged
    tail = find_zero_tail(tmp_path)
    assert tail is not None
    kept = cut(tail)
    assert log.read_bytes() + kept.read_bytes() == damaged
    server = run(tmp_path)
    try:
        ledger = make_ledger(open_redis(url_of(tmp_path), wait_s=5))
        assert read_chain(ledger) == chain
        assert ledger.queue.read().pending == (4 if damage == "after whole commands" else 3)
        mine_all(ledger)
    finally:
        server.kill()
        server.wait()


def test_a_log_that_is_damaged_otherwise_is_not_touched_and_the_reason_is_told(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    server = run(tmp_path)
    make_ledger(open_redis(url_of(tmp_path), wait_s=5))
    server.kill()
    server.wait()
    log = find_log(tmp_path)
    log.write_bytes(log.read_bytes() + b"nonsense" + bytes(100))
    damaged = log.read_bytes()
    check = CliRunner().invoke(cli, ["check", str(tmp_path), "--network", "test", "--bits", "4"])
    assert check.exit_code == 1
    assert "Bad file format reading the append only file" in str(check.exception)
    assert log.read_bytes() == damaged
