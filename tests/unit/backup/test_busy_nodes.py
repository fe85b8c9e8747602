"""Exports from a node that works: something happens between two parts of what is read."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from minequeue.chain.ledger import ConnectResult, Ledger, Part, waiting
from minequeue.compose.backup.errors import CannotExport, Reorganised
from tests.backups import (
    BLOCKS,
    WAITING,
    export,
    mine,
    read_lines,
    read_waiting,
    resume_whole,
    take_in,
    tip_index,
)
from tests.ledgers import (
    BOUNDS,
    make_ledger,
    make_miner,
    mine_all,
    mined_ids,
    read_chain,
    request_mine,
    submit,
)
from tests.mining_steps import connect_next
from tests.peers import meet


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_BATCH", 2)


def _between(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, which: str, happen: Callable[[], object]
) -> None:
    """Let something happen after the first part of ``which`` was read, once."""
    read: Callable[[], Iterator[Part]] = getattr(ledger.waiting, which)
    happened: list[object] = []

    def read_on() -> Iterator[Part]:
        for part in read():
            yield part
            if not happened:
                happened.append(True)
                happen()

    monkeypatch.setattr(ledger.waiting, which, read_on)


def _mine_one(ledger: Ledger, most: int) -> None:
    """Mine one block, of the first ``most`` pending transactions."""
    small = make_ledger(ledger.redis, replace(ledger.rules, block_transactions=most), BOUNDS)
    assert connect_next(small) is ConnectResult.CONNECTED


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("mined", [1, 2, WAITING])
@pytest.mark.parametrize("which", ["read_transactions", "read_jobs"])
def test_nothing_is_missed_that_is_mined_while_it_is_exported(
    full: Ledger, other: Ledger, file: Path, which: str, mined: int
) -> None:
    accepted, jobs = read_waiting(full)
    with pytest.MonkeyPatch.context() as patch:
        _between(patch, full, which, lambda: _mine_one(full, mined))
        export(full, file)
    take_in(file, other)
    assert tip_index(other) == BLOCKS
    assert sorted(read_waiting(other)[0]) == sorted(accepted)
    assert read_waiting(other)[1] == jobs
    mine_all(other)
    ids = list(mined_ids(other))
    assert len(ids) == len({*ids}) == 2 * (BLOCKS - 1) + WAITING


def test_a_block_that_comes_before_the_queue_is_read_is_in_the_backup(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = full.waiting.read_jobs
    first = iter([True])

    def mine_first() -> Iterator[Part]:
        if next(first, False):
            make_miner(full).run()
        return read()

    monkeypatch.setattr(full.waiting, "read_jobs", mine_first)
    export(full, file)
    take_in(file, other)
    assert read_chain(other) == read_chain(full)
    assert tip_index(other) > BLOCKS
    assert read_waiting(other) == read_waiting(full)


@pytest.mark.usefixtures("_small_parts")
def test_mine_requests_that_were_served_faster_than_they_were_read_are_an_error(
    full: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _between(monkeypatch, full, "read_jobs", lambda: mine_all(full))
    with pytest.raises(CannotExport, match="export again"):
        export(full, file)
    export(full, file, is_resumed=True)
    assert [json.loads(line)["kind"] for line in read_lines(file)][-1] == "end"


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("which", ["read_transactions", "read_jobs"])
def test_a_reorganisation_meanwhile_is_said_and_resume_goes_on(
    full: Ledger,
    other: Ledger,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
) -> None:
    for _ in range(BLOCKS):
        mine(other, 1)
    with monkeypatch.context() as patch:
        _between(patch, full, which, lambda: meet(full, other))
        with pytest.raises(Reorganised, match="--resume"):
            export(full, file)
    resume_whole(full, file)


def test_a_reorganisation_between_two_blocks_is_said(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(BLOCKS):
        mine(other, 1)
    iterate = full.blocks.iterate
    done: list[bool] = []

    def iterate_on(first: int, last: int) -> Iterator[Any]:
        for index in range(first, last + 1):
            if index == 3 and not done:
                done.append(True)
                meet(full, other)
            yield from iterate(index, index)

    monkeypatch.setattr(full.blocks, "iterate", iterate_on)
    with pytest.raises(Reorganised):
        export(full, file)
    export(full, file, is_resumed=True)
    assert read_lines(file)[1 : tip_index(full) + 1] == [
        b'{"kind":"block","block":' + block.to_json() + b"}\n" for block in read_chain(full)
    ]


def test_what_waits_is_read_on_after_the_last_entry_wherever_that_is(
    ours: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_BATCH", 2)
    transactions = [t.canonical for t in submit(ours, 7)]
    parts = ours.waiting.read_transactions()
    assert list(next(parts).items) == transactions[:2]
    request_mine(ours)
    _mine_one(ours, 1)
    part = next(parts)
    assert (list(part.items), part.is_anew) == (transactions[2:4], False)
    assert part.tip == ours.blocks.tip().header.hash
    request_mine(ours)
    _mine_one(ours, 5)
    part = next(parts)
    assert (list(part.items), part.is_anew) == (transactions[6:], True)
    assert next(parts, None) is None


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("is_mined", [False, True])
def test_reading_ends_though_more_comes_than_is_read(ours: Ledger, is_mined: bool) -> None:
    waited = [t.canonical for t in submit(ours, 7)]
    read: list[bytes] = []
    parts = 0
    for part in ours.waiting.read_transactions():
        read += part.items
        parts += 1
        submit(ours, 4)
        if is_mined:
            request_mine(ours)
            _mine_one(ours, 3)
    assert parts <= 4
    mined = [leaf for block in read_chain(ours) for leaf in block.leaves]
    assert {*waited} <= {*read, *mined}
