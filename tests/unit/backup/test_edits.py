"""Files that were edited: refused, whatever their end line says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from minequeue.chain.errors import InvalidBlock
from minequeue.chain.ledger import Ledger
from minequeue.compose.backup.errors import BackupRefused, BadBackup
from tests.backups import (
    END,
    FIRST,
    JOB,
    LAST,
    LAST_BLOCK,
    edit_line,
    export,
    read_lines,
    read_waiting,
    take_in,
    tip_index,
    write_sealed,
)
from tests.ledgers import read_chain


def _swap(found: list[bytes], one: int, two: int) -> list[bytes]:
    return [found[{one: two, two: one}.get(n, n)] for n in range(len(found))]


EDITS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a transaction of a block": (edit_line(3, b'"bob"', b'"eve"'), "Merkle root"),
    "a block's hash": (edit_line(3, b'"hash":"0', b'"hash":"f'), "was edited"),
    "a block's nonce": (edit_line(3, b'"proof":', b'"proof":9'), "was edited"),
    "a number beyond its place": (
        edit_line(3, b'"version":1', b'"version":-1'),
        "out of its bounds",
    ),
    "one more member": (edit_line(3, b'"block":{', b'"block":{"x":1,'), "was edited"),
    "a member twice": (edit_line(3, b'"block":{', b'"block":{"index":1,'), "was edited"),
    "a blank": (edit_line(JOB, b":", b": "), "was edited"),
    "a block left out": (lambda found: found[:3] + found[4:], "does not follow"),
    "a block twice": (lambda found: found[:4] + found[3:], "does not follow"),
    "two blocks swapped": (lambda found: _swap(found, 3, 4), "does not follow"),
    "a block after what waits": (lambda found: _swap(found, LAST_BLOCK, JOB), "where it belongs"),
    "a second network": (lambda found: [found[0], *found], "where it belongs"),
    "no network": (lambda found: found[1:], "begin with its network"),
    "a pending transaction": (edit_line(LAST, b'"bob"', b'"eve"'), "id is not the hash"),
    "a pending amount": (edit_line(LAST, b'"amount":1', b'"amount":1.0'), "fraction"),
    "a pending reward": (
        edit_line(LAST, b'"sender":"alice"', b'"sender":"0"'),
        "id is not the hash",
    ),
    "a pending member's order": (
        edit_line(LAST, b'{"amount":1,', b'{ "amount":1,'),
        "canonical form",
    ),
    "a job": (edit_line(JOB, b'"job":"', b'"job":"x'), "no line of a backup"),
    "an unknown kind": (edit_line(JOB, b'"kind":"job"', b'"kind":"jobs"'), "no line of a backup"),
    "no JSON": (edit_line(JOB, b"{", b""), "no line of a backup"),
    "no UTF-8": (edit_line(LAST, b"alice", b"\xff"), "backup"),
    "deep nesting": (edit_line(LAST, b'"alice"', b"[" * 100_000), "no line of a backup"),
    "a deep first line": (edit_line(FIRST, b'"test"', b"[" * 100_000), "no line of a backup"),
    "another format": (
        edit_line(FIRST, b'"format":1', b'"format":2,"reader":"9.8.7","more":[]'),
        r"has the format 2, and this version reads 1; use minequeue 9\.8\.7 or later",
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_refused_even_where_the_end_line_vouches_for_it(
    full: Ledger, other: Ledger, file: Path, what: str
) -> None:
    edit, said = EDITS[what]
    export(full, file)
    write_sealed(file, edit(read_lines(file)[:END]))
    with pytest.raises((BadBackup, BackupRefused, InvalidBlock), match=said):
        take_in(file, other)
    assert b"eve" not in b"".join(block.body for block in read_chain(other))
    assert read_waiting(other)[0] == []


@pytest.mark.parametrize("number", range(END + 1))
def test_any_edit_without_a_new_end_line_is_refused_before_anything_is_taken_in(
    full: Ledger, other: Ledger, file: Path, number: int
) -> None:
    export(full, file)
    found = read_lines(file)
    line = found[number]
    at = line.rindex(b'"') - 1
    found[number] = line[:at] + (b"1" if line[at : at + 1] == b"0" else b"0") + line[at + 1 :]
    file.write_bytes(b"".join(found))
    with pytest.raises((BadBackup, BackupRefused)):
        take_in(file, other)
    assert (tip_index(other), other.queue.read().depth) == (1, 0)


def test_more_after_the_end_is_refused(full: Ledger, other: Ledger, file: Path) -> None:
    export(full, file)
    with file.open("ab") as more:
        more.write(read_lines(file)[LAST])
    with pytest.raises(BadBackup, match="no end line"):
        take_in(file, other)


def test_a_line_longer_than_any_block_is_not_read_whole(
    other: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minequeue.compose.backup.reader.MAX_LINE_BYTES", 1000)
    file.write_bytes(b"x" * 2000)
    with pytest.raises(BadBackup, match="longer than any line"):
        take_in(file, other)
