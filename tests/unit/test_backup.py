"""Backups: what goes out comes in, and whatever was cut, edited or of another chain does not."""

import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import fakeredis
import pytest

from chain.errors import BranchTooLarge, InvalidBlock, WrongRules
from chain.ledger import (
    Adopting,
    Branch,
    Connecting,
    Connection,
    Ledger,
    MinedBy,
    Opening,
    Part,
    Pending,
    branches,
    waiting,
)
from chain.proof_of_work import search_with_hashlib
from chain.rules import Bounds, Rules
from compose.backup import blocks
from compose.backup.command import Exported, export_chain, import_file, refuse_no_chain
from compose.backup.errors import BackupRefused, BadBackup, CannotExport, Reorganised
from compose.backup.files import open_to_write
from compose.backup.importer import Imported
from compose.backup.lines import End, encode
from compose.backup.writer import Writer
from compose.chain_page import CannotRead
from tests.ledgers import (
    BOUNDS,
    RULES,
    make_ledger,
    make_miner,
    mine_all,
    mined_ids,
    read_chain,
    request_mine,
    submit,
)
from tests.peers import meet

BLOCKS, JOBS, WAITING = 6, 3, 5
FIRST, END = 0, BLOCKS + JOBS + WAITING + 1  # lines of `full`, from 0


@pytest.fixture
def ours() -> Iterator[Ledger]:
    yield from _open()


@pytest.fixture
def other() -> Iterator[Ledger]:
    yield from _open()


@pytest.fixture
def full(ours: Ledger) -> Ledger:
    """A ledger with blocks, mine requests and pending transactions."""
    for _ in range(BLOCKS - 1):
        _mine(ours, 2)
    submit(ours, WAITING)
    for _ in range(JOBS):
        request_mine(ours)
    return ours


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.ndjson"


def _open(rules: Rules = RULES, bounds: Bounds = BOUNDS) -> Iterator[Ledger]:
    client = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    yield make_ledger(Connection(client, wait_s=1), rules, bounds)
    client.close()


def _mine(ledger: Ledger, transactions: int = 0) -> None:
    if transactions:
        submit(ledger, transactions)
    job = request_mine(ledger)
    while isinstance(ledger.blocks.locate_job(job), Pending):
        make_miner(ledger).run()


def _export(
    ledger: Ledger, file: Path, *, first: int | None = None, is_resumed: bool = False
) -> Exported:
    return export_chain(ledger, str(file), first=first, is_resumed=is_resumed)


def _import(file: Path, ledger: Ledger) -> Imported:
    signatures = "required" if ledger.rules.signed else "optional"
    return import_file(str(file), ledger.rules.network, signatures, lambda: ledger)


def _waiting(ledger: Ledger) -> tuple[list[bytes], list[bytes]]:
    """The pending transactions and the mine requests."""
    reads = ledger.waiting.read_transactions, ledger.waiting.read_jobs
    transactions, jobs = ([item for part in read() for item in part.items] for read in reads)
    return transactions, jobs


def _index(ledger: Ledger) -> int:
    return ledger.blocks.tip().header.index


def _read_lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


def _write_sealed(file: Path, contents: list[bytes]) -> None:
    """Write lines and an end that vouches for them, as whoever edits a backup can."""
    blocks, jobs, transactions = (
        sum(line.startswith(b'{"kind":"%b"' % kind) for line in contents)
        for kind in (b"block", b"job", b"transaction")
    )
    end = End(blocks, jobs, transactions, sha256(b"".join(contents)).hexdigest())
    file.write_bytes(b"".join(contents) + encode(end))


def test_what_a_backup_holds_is_restored_block_for_block_and_in_order(
    full: Ledger, other: Ledger, file: Path
) -> None:
    exported = _export(full, file)
    assert (exported.blocks, exported.jobs, exported.transactions) == (BLOCKS, JOBS, WAITING)
    assert exported.bytes == file.stat().st_size
    assert _import(file, other) == Imported(BLOCKS - 1, 1, JOBS, WAITING)
    assert read_chain(other) == read_chain(full)
    assert other.blocks.tip() == full.blocks.tip()
    assert _waiting(other) == _waiting(full)
    again = file.with_suffix(".again")
    assert _export(other, again) == exported
    assert again.read_bytes() == file.read_bytes()


def test_a_line_says_what_it_is_and_a_block_stands_as_get_chain_gives_it(
    full: Ledger, file: Path
) -> None:
    exported = _export(full, file)
    found = _read_lines(file)
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
        assert line == b'{"kind":"block","block":' + block.as_json() + b"}\n"
    assert json.loads(found[END])["sha256"] == sha256(b"".join(found[:END])).hexdigest()
    assert exported.sha256 == json.loads(found[END])["sha256"]


def test_what_waited_is_mined_where_it_is_restored_each_once(
    full: Ledger, other: Ledger, file: Path
) -> None:
    _, jobs = _waiting(full)
    _export(full, file)
    _import(file, other)
    mine_all(other)
    mine_all(full)
    assert list(mined_ids(other)) == list(mined_ids(full))
    places = [other.blocks.locate_job(job.decode()) for job in jobs]
    assert all(isinstance(place, MinedBy) for place in places)
    assert len(set(places)) == JOBS


def test_a_second_import_adds_nothing_also_after_the_node_went_on(
    full: Ledger, other: Ledger, file: Path
) -> None:
    _export(full, file)
    _import(file, other)
    assert _import(file, other) == Imported(0, BLOCKS, JOBS, WAITING)
    assert _waiting(other) == _waiting(full)
    mine_all(other)
    _mine(other, 1)
    before = read_chain(other)
    assert _import(file, other).blocks == 0
    assert read_chain(other) == before
    assert other.queue.read().depth == 0


@pytest.mark.parametrize("kept", range(END + 1))
def test_a_cut_at_any_line_is_refused_by_import_and_mended_by_resume(
    full: Ledger, other: Ledger, file: Path, kept: int
) -> None:
    _export(full, file)
    whole = file.read_bytes()
    found = _read_lines(file)
    for torn in (b"", found[kept][:1], found[kept][: len(found[kept]) // 2], found[kept][:-1]):
        file.write_bytes(b"".join(found[:kept]) + torn)
        with pytest.raises(BadBackup, match="backup"):
            _import(file, other)
        assert (_index(other), other.queue.read().depth) == (1, 0)
        _export(full, file, is_resumed=True)
        assert file.read_bytes() == whole


def test_a_whole_backup_is_brought_up_to_date(full: Ledger, other: Ledger, file: Path) -> None:
    _export(full, file)
    before = _read_lines(file)[: BLOCKS + 1]
    mine_all(full)
    submit(full)
    exported = _export(full, file, is_resumed=True)
    assert exported.blocks == _index(full) > BLOCKS
    assert _read_lines(file)[: BLOCKS + 1] == before
    _import(file, other)
    assert read_chain(other) == read_chain(full)
    assert _waiting(other) == _waiting(full)


def test_resume_begins_where_there_is_no_file_yet(full: Ledger, file: Path) -> None:
    _export(full, file, is_resumed=True)
    again = file.with_suffix(".again")
    _export(full, again)
    assert file.read_bytes() == again.read_bytes()


def test_resume_drops_blocks_that_are_stale_by_now(ours: Ledger, other: Ledger, file: Path) -> None:
    _mine(ours, 1)
    meet(other, ours)
    _mine(ours, 1)
    _export(ours, file)
    for _ in range(3):
        _mine(other, 1)
    meet(ours, other)
    _export(ours, file, is_resumed=True)
    again = file.with_suffix(".again")
    _export(ours, again)
    assert file.read_bytes() == again.read_bytes()


def test_resume_writes_a_block_anew_whose_transactions_were_edited(
    full: Ledger, file: Path
) -> None:
    _export(full, file)
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"recipient":"bob"', b'"recipient":"eve"', 1))
    _export(full, file, is_resumed=True)
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [b"a letter to my aunt\n", b'{"kind":"job","job":"%032d"}\n' % 1, b"\n"]
)
def test_resume_leaves_a_file_alone_that_is_no_backup(
    ours: Ledger, file: Path, content: bytes
) -> None:
    file.write_bytes(content)
    with pytest.raises(CannotExport, match="name another file"):
        _export(ours, file, is_resumed=True)
    assert file.read_bytes() == content


def test_resume_leaves_the_backup_of_another_network_alone(full: Ledger, file: Path) -> None:
    [elsewhere] = _open(replace(RULES, network="elsewhere"))
    _export(elsewhere, file)
    before = file.read_bytes()
    with pytest.raises(CannotExport, match="name another file"):
        _export(full, file, is_resumed=True)
    assert file.read_bytes() == before


def test_a_file_that_is_there_is_not_overwritten(full: Ledger, file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(CannotExport, match="exists"):
        _export(full, file)
    assert file.read_text() == "precious"


def test_two_exports_do_not_write_one_file(full: Ledger, file: Path) -> None:
    with file.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(CannotExport, match="Another export writes"):
            _export(full, file, is_resumed=True)


def test_what_cannot_be_written_or_read_is_said(full: Ledger, tmp_path: Path) -> None:
    with pytest.raises(CannotExport, match="No such file"):
        _export(full, tmp_path / "none" / "backup")
    with pytest.raises(CannotRead, match="No such file"):
        _import(tmp_path / "none", full)
    with pytest.raises(CannotRead, match="Is a directory"):
        _import(tmp_path, full)


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


def test_a_later_part_of_the_chain_is_a_backup_of_its_own(
    full: Ledger, other: Ledger, file: Path
) -> None:
    early, late = file.with_suffix(".1"), file.with_suffix(".2")
    _export(full, early)
    mine_all(full)
    submit(full)
    assert _export(full, late, first=BLOCKS + 1).blocks == _index(full) - BLOCKS
    with pytest.raises(BackupRefused, match=f"begins with block {BLOCKS + 1}"):
        _import(late, other)
    _import(early, other)
    _import(late, other)
    assert read_chain(other) == read_chain(full)
    # what the first left waiting, the second's blocks hold; it was requested all the same
    assert _waiting(other)[0] == _waiting(full)[0]


def test_resume_keeps_the_first_block_that_the_file_began_with(full: Ledger, file: Path) -> None:
    _export(full, file, first=3)
    whole, found = file.read_bytes(), _read_lines(file)
    for kept in (1, 3):
        file.write_bytes(b"".join(found[:kept]))
        with pytest.raises(CannotExport):
            _export(full, file, first=2, is_resumed=True)
        _export(full, file, is_resumed=True)
        assert file.read_bytes() == whole


def test_a_later_part_of_another_chain_is_refused(ours: Ledger, other: Ledger, file: Path) -> None:
    for ledger in (ours, other):
        _mine(ledger, 1)
    _mine(ours, 1)
    _export(ours, file, first=3)
    with pytest.raises(InvalidBlock, match="does not link"):
        _import(file, other)


def test_another_network_or_rule_is_refused_before_anything_begins(
    full: Ledger, file: Path
) -> None:
    def begin() -> Ledger:
        raise AssertionError("the chain was begun")

    _export(full, file)
    with pytest.raises(BackupRefused, match="MINEQUEUE_NETWORK"):
        import_file(str(file), "elsewhere", "optional", begin)
    with pytest.raises(BackupRefused, match="MINEQUEUE_SIGNATURES"):
        import_file(str(file), "test", "required", begin)


def _swap(found: list[bytes], one: int, two: int) -> list[bytes]:
    return [found[{one: two, two: one}.get(n, n)] for n in range(len(found))]


def _edit(number: int, old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    def edit(found: list[bytes]) -> list[bytes]:
        assert old in found[number]
        return [line.replace(old, new, 1) if n == number else line for n, line in enumerate(found)]

    return edit


LAST_BLOCK, JOB, LAST = BLOCKS, BLOCKS + 1, END - 1
EDITS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a transaction of a block": (_edit(3, b'"bob"', b'"eve"'), "Merkle root"),
    "a block's hash": (_edit(3, b'"hash":"0', b'"hash":"f'), "was edited"),
    "a block's nonce": (_edit(3, b'"proof":', b'"proof":9'), "was edited"),
    "a number beyond its place": (_edit(3, b'"version":1', b'"version":-1'), "out of its bounds"),
    "one more member": (_edit(3, b'"block":{', b'"block":{"x":1,'), "was edited"),
    "a member twice": (_edit(3, b'"block":{', b'"block":{"index":1,'), "was edited"),
    "a blank": (_edit(JOB, b":", b": "), "was edited"),
    "a block left out": (lambda found: found[:3] + found[4:], "does not follow"),
    "a block twice": (lambda found: found[:4] + found[3:], "does not follow"),
    "two blocks swapped": (lambda found: _swap(found, 3, 4), "does not follow"),
    "a block after what waits": (lambda found: _swap(found, LAST_BLOCK, JOB), "where it belongs"),
    "a second network": (lambda found: [found[0], *found], "where it belongs"),
    "no network": (lambda found: found[1:], "begin with its network"),
    "a pending transaction": (_edit(LAST, b'"bob"', b'"eve"'), "id is not the hash"),
    "a pending amount": (_edit(LAST, b'"amount":1', b'"amount":1.0'), "fraction"),
    "a pending reward": (_edit(LAST, b'"sender":"alice"', b'"sender":"0"'), "id is not the hash"),
    "a pending member's order": (
        _edit(LAST, b'{"amount":1,', b'{ "amount":1,'),
        "canonical form",
    ),
    "a job": (_edit(JOB, b'"job":"', b'"job":"x'), "no line of a backup"),
    "an unknown kind": (_edit(JOB, b'"kind":"job"', b'"kind":"jobs"'), "no line of a backup"),
    "no JSON": (_edit(JOB, b"{", b""), "no line of a backup"),
    "no UTF-8": (_edit(LAST, b"alice", b"\xff"), "backup"),
    "deep nesting": (_edit(LAST, b'"alice"', b"[" * 100_000), "no line of a backup"),
    "another format": (_edit(FIRST, b'"format":1', b'"format":2'), "this version reads 1"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_refused_even_where_the_end_line_vouches_for_it(
    full: Ledger, other: Ledger, file: Path, what: str
) -> None:
    edit, said = EDITS[what]
    _export(full, file)
    _write_sealed(file, edit(_read_lines(file)[:END]))
    with pytest.raises((BadBackup, BackupRefused, InvalidBlock), match=said):
        _import(file, other)
    assert b"eve" not in b"".join(block.body for block in read_chain(other))
    assert _waiting(other)[0] == []


@pytest.mark.parametrize("number", range(END + 1))
def test_any_edit_without_a_new_end_line_is_refused_before_anything_is_taken_in(
    full: Ledger, other: Ledger, file: Path, number: int
) -> None:
    _export(full, file)
    found = _read_lines(file)
    line = found[number]
    at = line.rindex(b'"') - 1
    found[number] = line[:at] + (b"1" if line[at : at + 1] == b"0" else b"0") + line[at + 1 :]
    file.write_bytes(b"".join(found))
    with pytest.raises((BadBackup, BackupRefused)):
        _import(file, other)
    assert (_index(other), other.queue.read().depth) == (1, 0)


def test_more_after_the_end_is_refused(full: Ledger, other: Ledger, file: Path) -> None:
    _export(full, file)
    with file.open("ab") as more:
        more.write(_read_lines(file)[LAST])
    with pytest.raises(BadBackup, match="no end line"):
        _import(file, other)


def test_a_line_longer_than_any_block_is_not_read_whole(
    other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compose.backup.reader.MOST_LINE", 1000)
    file.write_bytes(b"x" * 2000)
    with pytest.raises(BadBackup, match="longer than any line"):
        _import(file, other)


def test_less_work_than_the_node_demands_is_refused(full: Ledger, file: Path) -> None:
    [demanding] = _open(replace(RULES, bits=5))
    _export(full, file)
    with pytest.raises(InvalidBlock, match="claims 4 bits, the network demands 5"):
        _import(file, demanding)


def test_unsigned_transactions_are_refused_where_signatures_are_required(
    full: Ledger, file: Path
) -> None:
    [signed] = _open(replace(RULES, signed=True))
    _export(full, file)
    said = _edit(FIRST, b"optional", b"required")(_read_lines(file)[:END])
    for contents in (said, said[:2] + said[LAST:]):
        _write_sealed(file, contents)
        with pytest.raises((InvalidBlock, BackupRefused), match="signed transactions alone"):
            _import(file, signed)


def test_another_chain_that_is_as_heavy_stays(ours: Ledger, other: Ledger, file: Path) -> None:
    for _ in range(2):
        _mine(ours, 1)
        _mine(other, 1)
    _export(ours, file)
    before = read_chain(other)
    with pytest.raises(BackupRefused, match="After block 1 this node has another chain"):
        _import(file, other)
    assert read_chain(other) == before


def test_another_chain_that_is_lighter_gives_way_and_loses_no_transaction(
    full: Ledger, other: Ledger, file: Path
) -> None:
    transactions = submit(other, 2)
    _mine(other)
    _export(full, file)
    _import(file, other)
    assert read_chain(other) == read_chain(full)
    assert {t.canonical for t in transactions} < {*_waiting(other)[0]}


def test_another_chain_gives_way_only_where_what_replaces_it_fits_at_once(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _mine(other, 1)
    _mine(other, 1)
    _export(full, file)
    monkeypatch.setattr(branches, "MOST_STAGED_BYTES", 500)
    with pytest.raises(BranchTooLarge):
        _import(file, other)


class _Interrupted(Exception):
    pass


def test_an_import_that_was_interrupted_goes_on_where_it_stopped(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _export(full, file)
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
            _import(file, other)
    assert _index(other) == 3  # the genesis block and one step
    assert _import(file, other) == Imported(BLOCKS - 3, 3, JOBS, WAITING)
    assert read_chain(other) == read_chain(full)
    assert _waiting(other) == _waiting(full)


def test_a_block_mined_while_a_step_is_taken_over_gives_way_to_the_heavier_backup(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _export(full, file)
    adopt = Branch.adopt
    answers: list[Adopting] = []

    def mine_first(self: Branch, best: Any) -> Adopting:
        if not answers:
            _mine(other)
        answers.append(adopt(self, best))
        return answers[-1]

    monkeypatch.setattr(Branch, "adopt", mine_first)
    _import(file, other)
    assert answers == [Adopting.STALE, Adopting.ADOPTED]
    assert read_chain(other) == read_chain(full)


def test_what_was_staged_and_expired_is_no_endless_loop(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _export(full, file)
    client: Any = other.connection.client
    adopt = Branch.adopt

    def expire_first(self: Branch, best: Any) -> Adopting:
        client.delete(*client.keys("*branch*"))
        return adopt(self, best)

    monkeypatch.setattr(Branch, "adopt", expire_first)
    with pytest.raises(BackupRefused, match="expired"):
        _import(file, other)


def test_a_queue_without_room_says_so_and_a_larger_one_takes_the_rest(
    full: Ledger, file: Path
) -> None:
    _export(full, file)
    for bounds, missing in (
        (Bounds(1, 10**6), "jobs"),
        (Bounds(WAITING, 200), "transactions"),
    ):
        [small] = _open(bounds=bounds)
        with pytest.raises(BackupRefused, match="MINEQUEUE_MAX_PENDING"):
            _import(file, small)
        assert read_chain(small) == read_chain(full), missing
        larger = make_ledger(small.connection)
        _import(file, larger)
        assert _waiting(larger) == _waiting(full)


# while the node works: what waits is read by two, and something happens between two parts


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_AT_ONCE", 2)


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
    small = Ledger(ledger.connection, replace(ledger.rules, block_transactions=most), BOUNDS)
    reading = ledger.queue.read()
    template = small.mining.build(reading, "node")
    assert template is not None
    assert small.mining.open(reading, template) is Opening.OPENED
    candidate = ledger.queue.read().candidate
    assert candidate is not None
    nonce = search_with_hashlib(candidate.prefix, 0, 2**20)
    assert nonce is not None
    assert small.mining.connect(reading, candidate, nonce) is Connecting.CONNECTED


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("mined", [1, 2, WAITING])
@pytest.mark.parametrize("which", ["read_transactions", "read_jobs"])
def test_nothing_is_missed_that_is_mined_while_it_is_exported(
    full: Ledger, other: Ledger, file: Path, which: str, mined: int
) -> None:
    accepted, jobs = _waiting(full)
    with pytest.MonkeyPatch.context() as patch:
        _between(patch, full, which, lambda: _mine_one(full, mined))
        _export(full, file)
    _import(file, other)
    assert _index(other) == BLOCKS
    assert sorted(_waiting(other)[0]) == sorted(accepted)
    assert _waiting(other)[1] == jobs
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
    _export(full, file)
    _import(file, other)
    assert read_chain(other) == read_chain(full)
    assert _index(other) > BLOCKS
    assert _waiting(other) == _waiting(full)


@pytest.mark.usefixtures("_small_parts")
def test_mine_requests_that_were_served_faster_than_they_were_read_are_an_error(
    full: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _between(monkeypatch, full, "read_jobs", lambda: mine_all(full))
    with pytest.raises(CannotExport, match="export again"):
        _export(full, file)
    _export(full, file, is_resumed=True)
    assert [json.loads(line)["kind"] for line in _read_lines(file)][-1] == "end"


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
        _mine(other, 1)
    with monkeypatch.context() as patch:
        _between(patch, full, which, lambda: meet(full, other))
        with pytest.raises(Reorganised, match="--resume"):
            _export(full, file)
    _export(full, file, is_resumed=True)
    again = file.with_suffix(".again")
    _export(full, again)
    assert file.read_bytes() == again.read_bytes()


def test_a_reorganisation_between_two_blocks_is_said(
    full: Ledger, other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(BLOCKS):
        _mine(other, 1)
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
        _export(full, file)
    _export(full, file, is_resumed=True)
    assert _read_lines(file)[1 : _index(full) + 1] == [
        b'{"kind":"block","block":' + block.as_json() + b"}\n" for block in read_chain(full)
    ]


def test_what_waits_is_read_on_after_the_last_entry_wherever_that_is(
    ours: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_AT_ONCE", 2)
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


def test_a_server_without_this_chain_is_no_chain_to_export_and_gets_none() -> None:
    client = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    nothing = Ledger(Connection(client, wait_s=1), RULES, BOUNDS)
    with pytest.raises(CannotExport, match="no chain of the network 'test'"):
        refuse_no_chain(nothing)
    assert client.dbsize() == 0
    signed = make_ledger(Connection(client, wait_s=1), replace(RULES, signed=True))
    refuse_no_chain(signed)
    with pytest.raises(WrongRules):
        refuse_no_chain(Ledger(Connection(client, wait_s=1), RULES, BOUNDS))
