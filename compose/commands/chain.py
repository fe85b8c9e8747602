"""The chain as a whole: its check, its backup, its restore."""

import sys

import click

from compose.options import settings_options
from compose.settings import Settings


@click.command()
@click.argument("source", default="http://127.0.0.1:3000")
@settings_options("bits", "network")
@click.option(
    "--processes",
    type=click.IntRange(1),
    metavar="N",
    help="How many may check a long chain; else one on each processor.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def check(settings: Settings, source: str, processes: int | None, as_json: bool) -> None:
    """Validate a whole chain, independently of the code that made it.

    SOURCE is a node's URL, a file with the answer of GET /chain, - for standard input, or the data
    directory of a stack that does not run. A block needs the bits, and the chain the network, that
    the options or the settings name: what a stranger's chain says of itself proves nothing. The
    exit code is 1 if a block is invalid; it is named, with the reason.

    Example: minequeue check http://127.0.0.1:3000
    """
    from compose.check import run_check

    sys.exit(
        run_check(
            source,
            minimum_bits=settings.bits,
            network=settings.network,
            processes=processes,
            as_json=as_json,
        )
    )


@click.command("export")
@settings_options("data_dir")
@click.option(
    "--from", "first", type=click.IntRange(1), metavar="N", help="The first block; else block 1."
)
@click.option("--resume", "is_resumed", is_flag=True, help="Go on where FILE ends.")
@click.option("--json", "as_json", is_flag=True, help="Print what it holds as JSON.")
@click.argument("file")
def export_backup(
    settings: Settings, file: str, first: int | None, is_resumed: bool, as_json: bool
) -> None:
    """Write the chain and all that waits to FILE, or to standard output where it is -.

    The node may go on working; its server must run. With --resume an export that was cut goes on,
    and a whole one is brought up to date. Exit code 1: FILE is no whole backup, and a sentence says
    why; 2: the options are wrong.

    Example: minequeue export backup.ndjson
    """
    from compose.backup.command import run_export

    run_export(settings, file, first=first, is_resumed=is_resumed, as_json=as_json)


@click.command("import")
@settings_options("data_dir", "bits")
@click.option("--json", "as_json", is_flag=True, help="Print what was taken in as JSON.")
@click.argument("file")
def import_backup(settings: Settings, file: str, as_json: bool) -> None:
    """Take a backup in: FILE, or standard input where it is -.

    Every rule is checked first. What the node has already changes nothing, so an import that was
    interrupted is run again. Exit code 1: FILE was refused, or not all of it taken in, and a
    sentence says why; 2: the options are wrong.

    Example: minequeue import backup.ndjson
    """
    from compose.backup.command import run_import

    run_import(settings, file, as_json=as_json)


COMMANDS = (check, export_backup, import_backup)
