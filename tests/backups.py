"""Backups for tests: ways to fill a ledger, write it out, edit that, and take it in."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from minequeue.chain.ledger import Ledger, Pending
from minequeue.compose.backup.command import Exported, export_chain, import_file
from minequeue.compose.backup.importer import Imported
from minequeue.compose.backup.lines import End, encode
from tests.ledgers import make_miner, request_mine, submit

BLOCKS, JOBS, WAITING = 6, 3, 5
FIRST, END = 0, BLOCKS + JOBS + WAITING + 1  # lines of the fixture `full`, from 0
LAST_BLOCK, JOB, LAST = BLOCKS, BLOCKS + 1, END - 1


def mine(ledger: Ledger, transactions: int = 0) -> None:
    if transactions:
        submit(ledger, transactions)
    job = request_mine(ledger)
    while isinstance(ledger.blocks.locate_job(job), Pending):
        make_miner(ledger).run()


def export(
    ledger: Ledger, file: Path, *, first: int | None = None, is_resumed: bool = False
) -> Exported:
    return export_chain(ledger, str(file), first=first, is_resumed=is_resumed)


def resume_whole(ledger: Ledger, file: Path) -> None:
    """Go on with ``file``, and see that it is then what a new export writes."""
    export(ledger, file, is_resumed=True)
    again = file.with_suffix(".again")
    export(ledger, again)
    assert file.read_bytes() == again.read_bytes()


def take_in(file: Path, ledger: Ledger) -> Imported:
    signatures = "required" if ledger.rules.signed else "optional"
    return import_file(str(file), ledger.rules.network, signatures, lambda: ledger)


def read_waiting(ledger: Ledger) -> tuple[list[bytes], list[bytes]]:
    """The pending transactions and the mine requests."""
    reads = ledger.waiting.read_transactions, ledger.waiting.read_jobs
    transactions, jobs = ([item for part in read() for item in part.items] for read in reads)
    return transactions, jobs


def tip_index(ledger: Ledger) -> int:
    return ledger.blocks.tip().header.index


def read_lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


def write_sealed(file: Path, contents: list[bytes]) -> None:
    """Write lines and an end that vouches for them, as whoever edits a backup can."""
    blocks, jobs, transactions = (
        sum(line.startswith(b'{"kind":"%b"' % kind) for line in contents)
        for kind in (b"block", b"job", b"transaction")
    )
    end = End(blocks, jobs, transactions, sha256(b"".join(contents)).hexdigest())
    file.write_bytes(b"".join(contents) + encode(end))


def edit_line(number: int, old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    def edit(found: list[bytes]) -> list[bytes]:
        assert old in found[number]
        return [line.replace(old, new, 1) if n == number else line for n, line in enumerate(found)]

    return edit
