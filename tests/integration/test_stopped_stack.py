"""The chain of a data directory whose stack does not run: it is read, and nothing is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from minequeue.chain.ledger import RedisClient, open_redis
from minequeue.compose.cli.main import cli
from tests.ledgers import RULES, make_ledger
from tests.server import start_server, url_of

EAST = replace(RULES, network="east", signed=True)


@contextmanager
def _serve(data_dir: Path) -> Iterator[RedisClient]:
    """A connection to the server of ``data_dir``, which ends as its stack's does."""
    with start_server(data_dir) as server:
        try:
            connection = open_redis(url_of(data_dir), wait_s=2)
            yield connection
            connection.client.close()
        finally:
            server.terminate()


# what reads all of a value, by its type, before and behind the key; DUMP also tells in which order
# a hash is kept, and that changes with a restart
_READ = {
    b"string": ("GET",),
    b"hash": ("HGETALL",),
    b"set": ("SMEMBERS",),
    b"list": ("LRANGE", 0, -1),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
}


def _read_all(data_dir: Path) -> dict[bytes, Any]:
    with _serve(data_dir) as connection:
        run: Any = connection.client.execute_command
        found = {}
        for key in run("KEYS", "*"):
            command, *rest = _READ[run("TYPE", key)]
            found[key] = run(command, key, *rest)
        return found


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Of a network that demands signatures, and is not called as the settings say."""
    (tmp_path / "logs").mkdir()
    with _serve(tmp_path) as connection:
        make_ledger(connection, EAST)
    return tmp_path


def _check(data_dir: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["check", str(data_dir), *options])


def test_a_network_that_is_not_there_is_refused_and_not_begun(data_dir: Path) -> None:
    before = _read_all(data_dir)
    for options in ((), ("--network", "west")):
        result = _check(data_dir, *options)
        assert result.exit_code == 1
        name = options[-1] if options else "minequeue"
        assert f"holds no chain of the network '{name}'" in str(result.exception)
    assert _read_all(data_dir) == before


def test_a_check_asks_for_no_rule_and_changes_nothing(data_dir: Path) -> None:
    before = _read_all(data_dir)
    result = _check(data_dir, "--network", "east")
    assert result.exit_code == 0, result.exception
    assert "valid: 1 blocks, 0 transactions" in result.output
    assert _read_all(data_dir) == before
