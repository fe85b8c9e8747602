"""An export that goes on with a file: what it keeps, drops, mends and leaves alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger
from minequeue.compose.backup.errors import BadBackup, CannotExport
from tests.backups import (
    BLOCKS,
    END,
    export,
    mine,
    read_lines,
    read_waiting,
    resume_whole,
    take_in,
    tip_index,
)
from tests.ledgers import RULES, mine_all, read_chain, submit
from tests.peers import meet
from tests.separate_ledgers import make_separate_ledger


@pytest.mark.parametrize("kept", range(END + 1))
def test_a_cut_at_any_line_is_refused_by_import_and_mended_by_resume(
    full: Ledger, other: Ledger, file: Path, kept: int
) -> None:
    export(full, file)
    whole = file.read_bytes()
    found = read_lines(file)
    for torn in (b"", found[kept][:1], found[kept][: len(found[kept]) // 2], found[kept][:-1]):
        file.write_bytes(b"".join(found[:kept]) + torn)
        with pytest.raises(BadBackup, match="backup"):
            take_in(file, other)
        assert (tip_index(other), other.queue.read().depth) == (1, 0)
        export(full, file, is_resumed=True)
        assert file.read_bytes() == whole


def test_a_whole_backup_is_brought_up_to_date(full: Ledger, other: Ledger, file: Path) -> None:
    export(full, file)
    before = read_lines(file)[: BLOCKS + 1]
    mine_all(full)
    submit(full)
    exported = export(full, file, is_resumed=True)
    assert exported.blocks == tip_index(full) > BLOCKS
    assert read_lines(file)[: BLOCKS + 1] == before
    take_in(file, other)
    assert read_chain(other) == read_chain(full)
    assert read_waiting(other) == read_waiting(full)


def test_resume_begins_where_there_is_no_file_yet(full: Ledger, file: Path) -> None:
    resume_whole(full, file)


def test_resume_drops_blocks_that_are_stale_by_now(ours: Ledger, other: Ledger, file: Path) -> None:
    mine(ours, 1)
    meet(other, ours)
    mine(ours, 1)
    export(ours, file)
    for _ in range(3):
        mine(other, 1)
    meet(ours, other)
    resume_whole(ours, file)


def test_resume_writes_a_block_anew_whose_transactions_were_edited(
    full: Ledger, file: Path
) -> None:
    export(full, file)
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"recipient":"bob"', b'"recipient":"eve"', 1))
    export(full, file, is_resumed=True)
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [b"a letter to my aunt\n", b'{"kind":"job","job":"%032d"}\n' % 1, b"\n"]
)
def test_resume_leaves_a_file_alone_that_is_no_backup(
    ours: Ledger, file: Path, content: bytes
) -> None:
    file.write_bytes(content)
    with pytest.raises(CannotExport, match="name another file"):
        export(ours, file, is_resumed=True)
    assert file.read_bytes() == content


def test_resume_leaves_the_backup_of_another_network_alone(full: Ledger, file: Path) -> None:
    elsewhere = make_separate_ledger(replace(RULES, network="elsewhere"))
    export(elsewhere, file)
    before = file.read_bytes()
    with pytest.raises(CannotExport, match="name another file"):
        export(full, file, is_resumed=True)
    assert file.read_bytes() == before


def test_resume_keeps_the_first_block_that_the_file_began_with(full: Ledger, file: Path) -> None:
    export(full, file, first=3)
    whole, found = file.read_bytes(), read_lines(file)
    for kept in (1, 3):
        file.write_bytes(b"".join(found[:kept]))
        with pytest.raises(CannotExport):
            export(full, file, first=2, is_resumed=True)
        export(full, file, is_resumed=True)
        assert file.read_bytes() == whole
