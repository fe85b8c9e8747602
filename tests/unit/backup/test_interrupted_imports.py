"""Imports that are interrupted, and nodes that go on meanwhile."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from minequeue.chain.ledger import AdoptResult, Branch, Ledger
from minequeue.compose.backup import blocks
from minequeue.compose.backup.errors import BackupRefused
from minequeue.compose.backup.importer import Imported
from tests.backups import BLOCKS, JOBS, WAITING, export, mine, read_waiting, take_in, tip_index
from tests.ledgers import read_chain


class _Interrupted(Exception):
    pass


def test_an_import_that_was_interrupted_goes_on_where_it_stopped(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(full, file)
    monkeypatch.setattr(blocks, "_STEP", 2)
    add = Branch.add
    added = count(1)

    def add_three(self: Branch, block: Any) -> None:
        if next(added) == 4:
            raise _Interrupted
        add(self, block)

    with monkeypatch.context() as patch:
        patch.setattr(Branch, "add", add_three)
        with pytest.raises(_Interrupted):
            take_in(file, other)
    assert tip_index(other) == 3  # the genesis block and one step
    assert take_in(file, other) == Imported(BLOCKS - 3, 3, JOBS, WAITING)
    assert read_chain(other) == read_chain(full)
    assert read_waiting(other) == read_waiting(full)


def test_a_block_mined_while_a_step_is_taken_over_gives_way_to_the_heavier_backup(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(full, file)
    adopt = Branch.adopt
    answers: list[AdoptResult] = []

    def mine_first(self: Branch, best: Any) -> AdoptResult:
        if not answers:
            mine(other)
        answers.append(adopt(self, best))
        return answers[-1]

    monkeypatch.setattr(Branch, "adopt", mine_first)
    take_in(file, other)
    assert answers == [AdoptResult.STALE, AdoptResult.ADOPTED]
    assert read_chain(other) == read_chain(full)


def test_what_was_staged_and_expired_is_no_endless_loop(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(full, file)
    client: Any = other.redis.client
    adopt = Branch.adopt

    def expire_first(self: Branch, best: Any) -> AdoptResult:
        client.delete(*client.keys("*branch*"))
        return adopt(self, best)

    monkeypatch.setattr(Branch, "adopt", expire_first)
    with pytest.raises(BackupRefused, match="expired"):
        take_in(file, other)
