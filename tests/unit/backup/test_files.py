"""Files that cannot be written or read, and a server without a chain."""

import fcntl
from dataclasses import replace
from pathlib import Path

import pytest

from minequeue.chain.errors import WrongRules
from minequeue.chain.ledger import Ledger, RedisClient
from minequeue.compose.backup.command import check_chain
from minequeue.compose.backup.errors import CannotExport
from minequeue.compose.backup.files import open_to_write
from minequeue.compose.backup.writer import Writer
from minequeue.compose.check.chain_page import CannotRead
from tests.backups import export, take_in
from tests.ledgers import BOUNDS, RULES, make_ledger, read_chain
from tests.separate_ledgers import make_fake_client


def test_a_file_that_is_there_is_not_overwritten(full: Ledger, file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(CannotExport, match="exists"):
        export(full, file)
    assert file.read_text() == "precious"


def test_two_exports_do_not_write_one_file(full: Ledger, file: Path) -> None:
    with file.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(CannotExport, match="Another export writes"):
            export(full, file, is_resumed=True)


def test_what_cannot_be_written_or_read_is_said(full: Ledger, tmp_path: Path) -> None:
    with pytest.raises(CannotExport, match="No such file"):
        export(full, tmp_path / "none" / "backup")
    with pytest.raises(CannotRead, match="No such file"):
        take_in(tmp_path / "none", full)
    with pytest.raises(CannotRead, match="Is a directory"):
        take_in(tmp_path, full)


def test_a_full_disk_is_one_error(full: Ledger, file: Path) -> None:
    file.symlink_to("/dev/full")
    [block, *_] = read_chain(full)

    def write() -> None:
        with open_to_write(str(file), is_resumed=True) as opened:
            writer = Writer(opened, str(file))
            writer.add_block(block)
            writer.end()

    with pytest.raises(CannotExport, match="No space left"):
        write()


def test_a_server_without_this_chain_is_no_chain_to_export_and_gets_none() -> None:
    client = make_fake_client()
    nothing = Ledger(RedisClient(client, wait_s=1), RULES, BOUNDS)
    with pytest.raises(CannotExport, match="no chain of the network 'test'"):
        check_chain(nothing)
    assert client.dbsize() == 0
    signed = make_ledger(RedisClient(client, wait_s=1), replace(RULES, signed=True))
    check_chain(signed)
    with pytest.raises(WrongRules):
        check_chain(Ledger(RedisClient(client, wait_s=1), RULES, BOUNDS))
