"""``minequeue export`` and ``import``: from settings and a file's name to what is printed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import IO

import click

from minequeue.chain.errors import LedgerLost
from minequeue.chain.ledger import Ledger
from minequeue.compose.backup.errors import CannotExport
from minequeue.compose.backup.exporter import Exporter
from minequeue.compose.backup.files import STANDARD, open_to_read, open_to_write
from minequeue.compose.backup.importer import Imported, check_network, import_lines
from minequeue.compose.backup.lines import Content, Network
from minequeue.compose.backup.progress import show_progress
from minequeue.compose.backup.reader import read_backup, validate_frame
from minequeue.compose.backup.resume import find_end
from minequeue.compose.backup.writer import Writer
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import make_ledger, open_ledger
from minequeue.compose.wiring.no_server import saying_why_no_server_answers

_Show = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Exported:
    """What a backup holds.

    Attributes:
        blocks: how many blocks.
        jobs: how many mine requests that waited.
        transactions: how many lines of transactions that are in none of the blocks.
        bytes: its size.
        index: of the last block.
        tip: the last block's hash, hex.
        sha256: over all lines but the last, hex.
    """

    blocks: int
    jobs: int
    transactions: int
    bytes: int
    index: int
    tip: str
    sha256: str


def run_export(
    settings: Settings, name: str, *, first: int | None, is_resumed: bool, as_json: bool
) -> None:
    """Write the backup ``name`` of the node of these settings, and say what it holds.

    Args:
        settings: they name the server and the network.
        name: of the file, or "-" for standard output; then what is said goes to standard error.
        first: the index of the first block, from 1; None for 1, or for what the file has.
        is_resumed: whether to go on with what the file has.
        as_json: say it as JSON.

    Raises:
        UsageError: the options do not go together.
        CannotExport: there is no such chain, or the file cannot be written.
        NoServer: the server does not answer.
        MinequeueError: see :func:`export_chain`.
    """
    if is_resumed and name == STANDARD:
        raise click.UsageError("--resume needs a file: standard output cannot be read back.")
    with saying_why_no_server_answers():
        ledger = open_ledger(settings)
        check_chain(ledger)
        length = ledger.blocks.tip().header.index
        if first is not None and first > length:
            raise click.UsageError(f"--from {first} is past the chain, whose length is {length}.")
        found = export_chain(ledger, name, first=first, is_resumed=is_resumed)
    text = (
        f"exported {found.blocks} blocks up to block {found.index}, and the queue: "
        f"{found.transactions} transactions, {found.jobs} mine requests ({found.bytes} bytes)"
    )
    click.echo(json.dumps(asdict(found)) if as_json else text, err=name == STANDARD)


def export_chain(ledger: Ledger, name: str, *, first: int | None, is_resumed: bool) -> Exported:
    """Write what ``ledger`` holds; see :func:`run_export`.

    Raises:
        CannotExport: the file cannot be written, or is no backup to go on with.
        CannotRead: what it has cannot be read.
        Reorganised: see :class:`Exporter`.
    """
    signatures = "required" if ledger.rules.signed else "optional"
    network = Network(ledger.rules.network, signatures, first or 1)
    with open_to_write(name, is_resumed=is_resumed) as file, show_progress("exporting") as show:
        if is_resumed:
            writer, last = find_end(file, name, network, ledger, any_first=first is None)
        else:
            writer, last = Writer(file, name), ledger.blocks.read_header(network.first - 1)
            writer.begin(network)
        tip = Exporter(ledger, writer, last, show).run()
        end = writer.end()
    return Exported(
        end.blocks,
        end.jobs,
        end.transactions,
        writer.size,
        tip.index,
        tip.hash.hex(),
        end.sha256,
    )


def run_import(settings: Settings, name: str, *, as_json: bool) -> None:
    """Take the backup ``name`` into the node of these settings, and say what it held.

    Args:
        settings: they name the server, the network and its rules.
        name: of the file, or "-" for standard input.
        as_json: say it as JSON.

    Raises:
        NoServer: the server does not answer.
        MinequeueError: see :func:`import_file`.
    """
    with saying_why_no_server_answers():
        found = import_file(
            name, settings.network, settings.signatures, lambda: make_ledger(settings)
        )
    text = (
        f"imported {found.blocks} blocks ({found.known} more were there), and the queue: "
        f"{found.transactions} transactions, {found.jobs} mine requests"
    )
    click.echo(json.dumps(asdict(found)) if as_json else text)


def import_file(name: str, network: str, signatures: str, begin: Callable[[], Ledger]) -> Imported:
    """Take the backup ``name`` in.

    A file is read to its end before anything of it is taken in. A pipe cannot be, and its blocks,
    which prove themselves, are taken over as they come.

    Args:
        name: of the file, or "-" for standard input.
        network: the name of the node's network.
        signatures: "required" or "optional", as in that network.
        begin: gives the node's ledger, and begins its chain where there is none; it is called once
            the backup is known to be of this network.

    Raises:
        BadBackup: it is not whole, or was changed.
        BackupRefused: it does not belong here.
        InvalidBlock: a block breaks a rule; it and what follows were not taken over.
        BranchTooLarge: another chain of the ledger's would be replaced by more than fits at once.
        CannotRead: it cannot be read.
    """
    with open_to_read(name) as file, show_progress("importing") as show:
        size = 0
        said, lines = read_backup(file, name)
        check_network(said, network, signatures)
        if file.seekable():
            size = validate_frame(file, name)
            said, lines = read_backup(file, name)
        return import_lines(said, _show_each(lines, file, size, show), begin())


def check_chain(ledger: Ledger) -> None:
    """See that there is a chain with these rules: a name that is mistaken must not begin one.

    Raises:
        CannotExport: there is none.
        WrongRules: it was begun with other rules.
    """
    network = ledger.rules.network
    try:
        ledger.blocks.tip()
    except LedgerLost:
        raise CannotExport(
            f"The server holds no chain of the network {network!r}; correct MINEQUEUE_NETWORK, or "
            "name another server or data directory."
        ) from None
    ledger.rule_book.read()


def _show_each(
    lines: Iterator[Content], file: IO[bytes], size: int, show: _Show
) -> Iterator[Content]:
    for line in lines:
        if size:
            show(file.tell(), size)
        yield line
