"""``minequeue export`` and ``import``: from settings and a file's name to what is printed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import click

from chain.errors import LedgerUnavailable
from chain.ledger import Ledger
from compose.backup.errors import CannotExport, NoServer
from compose.backup.exporter import Exporter
from compose.backup.files import STANDARD, open_to_read, open_to_write
from compose.backup.importer import import_lines, refuse_others
from compose.backup.lines import Content, Network
from compose.backup.progress import show_progress
from compose.backup.reader import read_backup, verify_frame
from compose.backup.resume import find_end
from compose.backup.writer import Writer
from compose.settings import Settings
from compose.wiring import make_ledger, open_ledger

_Show = Callable[[int, int], object]


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
        CannotRead: what the file has cannot be read.
        Reorganised: see :class:`Exporter`.
        NoServer: the server does not answer.
    """
    if is_resumed and name == STANDARD:
        raise click.UsageError("--resume needs a file: standard output cannot be read back.")
    with _one_sentence_for_the_server():
        ledger = _open_chain(settings)
        network = Network(settings.network, settings.signatures, first or 1)
        length = ledger.blocks.tip().header.index
        if network.first > length:
            raise click.UsageError(f"--from {first} is past the chain, whose length is {length}.")
        with (
            open_to_write(name, is_resumed=is_resumed) as file,
            show_progress("exporting") as show,
        ):
            if is_resumed:
                writer, last = find_end(file, name, network, ledger, any_first=first is None)
            else:
                writer, last = Writer(file, name), ledger.blocks.read_header(network.first - 1)
                writer.begin(network)
            tip = Exporter(ledger, writer, last, show).run()
            end = writer.end()
    found = {
        "blocks": end.blocks,
        "jobs": end.jobs,
        "transactions": end.transactions,
        "bytes": writer.size,
        "tip": tip.hash.hex(),
        "index": tip.index,
        "sha256": end.sha256,
    }
    text = (
        f"exported {end.blocks} blocks up to block {tip.index}, and what waits: "
        f"{end.transactions} transactions, {end.jobs} mine requests ({writer.size} bytes)"
    )
    click.echo(json.dumps(found) if as_json else text, err=name == STANDARD)


def run_import(settings: Settings, name: str, *, as_json: bool) -> None:
    """Take the backup ``name`` into the node of these settings, and say what was new.

    A file is read to its end before anything of it is taken in. A pipe cannot be, and its blocks,
    which prove themselves, are taken over as they come.

    Args:
        settings: they name the server, the network and its rules.
        name: of the file, or "-" for standard input.
        as_json: say it as JSON.

    Raises:
        BadBackup: it is not whole, or was changed.
        BackupRefused: it does not belong here.
        InvalidBlock: a block breaks a rule; it and what follows were not taken over.
        BranchTooLarge: another chain of the ledger's would be replaced by more than fits at once.
        CannotRead: it cannot be read.
        NoServer: the server does not answer.
    """
    with (
        _one_sentence_for_the_server(),
        open_to_read(name) as file,
        show_progress("importing") as show,
    ):
        size = 0
        network, lines = read_backup(file, name)
        refuse_others(network, settings.network, settings.signatures)
        if file.seekable():
            size = verify_frame(file, name)
            network, lines = read_backup(file, name)
        shown = _show_each(lines, file, size, show)
        found = import_lines(network, shown, make_ledger(settings))
    text = (
        f"imported {found.blocks} blocks ({found.known} more were there), and what waits: "
        f"{found.transactions} transactions, {found.jobs} mine requests"
    )
    counts = {
        "blocks": found.blocks,
        "known": found.known,
        "jobs": found.jobs,
        "transactions": found.transactions,
    }
    click.echo(json.dumps(counts) if as_json else text)


def _open_chain(settings: Settings) -> Ledger:
    """The ledger, where it holds a chain: a name that is mistaken must not begin one."""
    ledger = open_ledger(settings)
    try:
        ledger.blocks.tip()
    except LookupError:
        raise CannotExport(
            f"The server holds no chain of the network {settings.network!r}; correct "
            "MINEQUEUE_NETWORK, or name another server or data directory."
        ) from None
    ledger.mining.create_genesis()  # it is there, so this only compares the rules
    return ledger


def _show_each(
    lines: Iterator[Content], file: IO[bytes], size: int, show: _Show
) -> Iterator[Content]:
    for line in lines:
        if size:
            show(file.tell(), size)
        yield line


@contextmanager
def _one_sentence_for_the_server() -> Iterator[None]:
    try:
        yield
    except LedgerUnavailable as error:
        raise NoServer from error
