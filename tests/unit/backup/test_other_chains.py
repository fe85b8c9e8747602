"""Backups of another network, of other rules, or of another chain than the node has."""

from dataclasses import replace
from pathlib import Path

import pytest

from minequeue.chain.errors import BranchTooLarge, InvalidBlock
from minequeue.chain.ledger import Ledger, branches
from minequeue.compose.backup.command import import_file
from minequeue.compose.backup.errors import BackupRefused
from tests.backups import (
    END,
    FIRST,
    LAST,
    edit_line,
    export,
    mine,
    read_lines,
    read_waiting,
    take_in,
    write_sealed,
)
from tests.ledgers import RULES, read_chain, submit
from tests.separate_ledgers import make_separate_ledger


def test_another_network_or_rule_is_refused_before_anything_begins(
    full: Ledger, file: Path
) -> None:
    def begin() -> Ledger:
        raise AssertionError("the chain was begun")

    export(full, file)
    with pytest.raises(BackupRefused, match="MINEQUEUE_NETWORK"):
        import_file(str(file), "elsewhere", "optional", begin)
    with pytest.raises(BackupRefused, match="MINEQUEUE_SIGNATURES"):
        import_file(str(file), "test", "required", begin)


def test_less_work_than_the_node_demands_is_refused(full: Ledger, file: Path) -> None:
    demanding = make_separate_ledger(replace(RULES, bits=5))
    export(full, file)
    with pytest.raises(InvalidBlock, match="claims 4 bits, the network demands 5"):
        take_in(file, demanding)


def test_unsigned_transactions_are_refused_where_signatures_are_required(
    full: Ledger, file: Path
) -> None:
    signed = make_separate_ledger(replace(RULES, signed=True))
    export(full, file)
    said = edit_line(FIRST, b"optional", b"required")(read_lines(file)[:END])
    for contents in (said, said[:2] + said[LAST:]):
        write_sealed(file, contents)
        with pytest.raises((InvalidBlock, BackupRefused), match="only signed transactions"):
            take_in(file, signed)


def test_a_later_part_of_another_chain_is_refused(ours: Ledger, other: Ledger, file: Path) -> None:
    for ledger in (ours, other):
        mine(ledger, 1)
    mine(ours, 1)
    export(ours, file, first=3)
    with pytest.raises(InvalidBlock, match="does not link"):
        take_in(file, other)


def test_another_chain_that_is_as_heavy_stays(ours: Ledger, other: Ledger, file: Path) -> None:
    for _ in range(2):
        mine(ours, 1)
        mine(other, 1)
    export(ours, file)
    before = read_chain(other)
    with pytest.raises(BackupRefused, match="After block 1 this node has another chain"):
        take_in(file, other)
    assert read_chain(other) == before


def test_another_chain_that_is_lighter_gives_way_and_loses_no_transaction(
    full: Ledger, other: Ledger, file: Path
) -> None:
    transactions = submit(other, 2)
    mine(other)
    export(full, file)
    take_in(file, other)
    assert read_chain(other) == read_chain(full)
    assert {t.canonical for t in transactions} < {*read_waiting(other)[0]}


def test_another_chain_gives_way_only_where_what_replaces_it_fits_at_once(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine(other, 1)
    mine(other, 1)
    export(full, file)
    monkeypatch.setattr(branches, "MAX_STAGED_BYTES", 500)
    with pytest.raises(BranchTooLarge):
        take_in(file, other)
