"""What a backup holds, and that it comes in block for block and in order."""

import json
from codecs import BOM_UTF8
from hashlib import sha256
from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger, MinedBy
from minequeue.chain.protocol.rules import Bounds
from minequeue.compose.backup.errors import BackupRefused
from minequeue.compose.backup.importer import Imported
from tests.backups import (
    BLOCKS,
    END,
    JOBS,
    WAITING,
    export,
    mine,
    read_lines,
    read_waiting,
    take_in,
    tip_index,
)
from tests.ledgers import make_ledger, mine_all, mined_ids, read_chain, submit
from tests.separate_ledgers import make_separate_ledger


def test_what_a_backup_holds_is_restored_block_for_block_and_in_order(
    full: Ledger, other: Ledger, file: Path
) -> None:
    exported = export(full, file)
    assert (exported.blocks, exported.jobs, exported.transactions) == (BLOCKS, JOBS, WAITING)
    assert exported.bytes == file.stat().st_size
    assert take_in(file, other) == Imported(BLOCKS - 1, 1, JOBS, WAITING)
    assert read_chain(other) == read_chain(full)
    assert other.blocks.tip() == full.blocks.tip()
    assert read_waiting(other) == read_waiting(full)
    again = file.with_suffix(".again")
    assert export(other, again) == exported
    assert again.read_bytes() == file.read_bytes()


def test_a_line_says_what_it_is_and_a_block_stands_as_get_chain_gives_it(
    full: Ledger, file: Path
) -> None:
    exported = export(full, file)
    found = read_lines(file)
    kinds = [json.loads(line)["kind"] for line in found]
    assert kinds == [
        "network",
        *["block"] * BLOCKS,
        *["job"] * JOBS,
        *["transaction"] * WAITING,
        "end",
    ]
    assert json.loads(found[0]) == {
        "kind": "network",
        "network": "test",
        "signatures": "optional",
        "from": 1,
        "format": 1,
    }
    for line, block in zip(found[1:], read_chain(full), strict=False):
        assert line == b'{"kind":"block","block":' + block.to_json() + b"}\n"
    assert json.loads(found[END])["sha256"] == sha256(b"".join(found[:END])).hexdigest()
    assert exported.sha256 == json.loads(found[END])["sha256"]


def test_what_waited_is_mined_where_it_is_restored_each_once(
    full: Ledger, other: Ledger, file: Path
) -> None:
    _, jobs = read_waiting(full)
    export(full, file)
    take_in(file, other)
    mine_all(other)
    mine_all(full)
    assert list(mined_ids(other)) == list(mined_ids(full))
    places = [other.blocks.locate_job(job.decode()) for job in jobs]
    assert all(isinstance(place, MinedBy) for place in places)
    assert len(set(places)) == JOBS


def test_a_second_import_adds_nothing_also_after_the_node_went_on(
    full: Ledger, other: Ledger, file: Path
) -> None:
    export(full, file)
    take_in(file, other)
    assert take_in(file, other) == Imported(0, BLOCKS, JOBS, WAITING)
    assert read_waiting(other) == read_waiting(full)
    mine_all(other)
    mine(other, 1)
    before = read_chain(other)
    assert take_in(file, other).blocks == 0
    assert read_chain(other) == before
    assert other.queue.read().depth == 0


def test_a_later_part_of_the_chain_is_a_backup_of_its_own(
    full: Ledger, other: Ledger, file: Path
) -> None:
    early, late = file.with_suffix(".1"), file.with_suffix(".2")
    export(full, early)
    mine_all(full)
    submit(full)
    assert export(full, late, first=BLOCKS + 1).blocks == tip_index(full) - BLOCKS
    with pytest.raises(BackupRefused, match=f"begins with block {BLOCKS + 1}"):
        take_in(late, other)
    take_in(early, other)
    take_in(late, other)
    assert read_chain(other) == read_chain(full)
    # what the first left waiting, the second's blocks hold; it was requested all the same
    assert read_waiting(other)[0] == read_waiting(full)[0]


def test_a_queue_without_room_says_so_and_a_larger_one_takes_the_rest(
    full: Ledger, file: Path
) -> None:
    export(full, file)
    for bounds, missing in (
        (Bounds(1, 10**6), "jobs"),
        (Bounds(WAITING, 200), "transactions"),
    ):
        small = make_separate_ledger(bounds=bounds)
        with pytest.raises(BackupRefused, match="MINEQUEUE_MAX_PENDING"):
            take_in(file, small)
        assert read_chain(small) == read_chain(full), missing
        larger = make_ledger(small.redis)
        take_in(file, larger)
        assert read_waiting(larger) == read_waiting(full)


def test_a_mark_at_the_start_of_a_backup_is_no_character_of_it(
    full: Ledger, other: Ledger, file: Path
) -> None:
    export(full, file)
    file.write_bytes(BOM_UTF8 + file.read_bytes())
    assert take_in(file, other) == Imported(BLOCKS - 1, 1, JOBS, WAITING)
