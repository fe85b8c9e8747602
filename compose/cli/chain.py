"""The chain as a whole: its check, its backup, its restore."""

import sys

import click

from minequeue.chain.protocol.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS
from minequeue.compose.cli.options import settings_options
from minequeue.compose.config.settings import Settings


@click.command()
@click.argument("source", default="http://127.0.0.1:3000")
@settings_options("bits", "network")
@click.option(
    "--processes",
    type=click.IntRange(1),
    metavar="N",
    help="Number of processes for a long chain; by default one per processor.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def check(settings: Settings, source: str, processes: int | None, as_json: bool) -> None:
    """Validate a whole chain, independently of the code that made it.

    SOURCE is a node's URL, a file with the answer of GET /chain, - for standard input, or the data
    directory of a stopped stack. Options or settings give the bits of a block and the network of
    the chain: a stranger's chain cannot vouch for itself. For a data directory the rules of its
    ledger replace --bits. If a block is invalid, the exit code is 1 and the output names the block
    and the reason.

    Example: minequeue check http://127.0.0.1:3000
    """
    from minequeue.compose.check.command import run_check

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
    "--from", "first", type=click.IntRange(1), metavar="N", help="First block; by default block 1."
)
@click.option("--resume", "is_resumed", is_flag=True, help="Continue where FILE ends.")
@click.option("--json", "as_json", is_flag=True, help="Print its content as JSON.")
@click.argument("file")
def export_backup(
    settings: Settings, file: str, first: int | None, is_resumed: bool, as_json: bool
) -> None:
    """Write the chain and the queue to FILE, or to standard output if FILE is -.

    The node may keep working; its server must run. --resume continues an interrupted export, or
    updates a complete one. Exit code 1: FILE is not a complete backup, and a sentence says why; 2:
    the options are wrong.

    Example: minequeue export backup.ndjson
    """
    from minequeue.compose.backup.command import run_export

    run_export(settings, file, first=first, is_resumed=is_resumed, as_json=as_json)


@click.command("import")
@settings_options("data_dir", "bits")
@click.option("--json", "as_json", is_flag=True, help="Print what was imported as JSON.")
@click.argument("file")
def import_backup(settings: Settings, file: str, as_json: bool) -> None:
    """Import a backup from FILE, or from standard input if FILE is -.

    Every rule is checked first. What the node already has is skipped, so an interrupted import can
    be run again. Exit code 1: FILE was rejected, or only a part of it was imported, and a sentence
    says why; 2: the options are wrong.

    Example: minequeue import backup.ndjson
    """
    from minequeue.compose.backup.command import run_import

    run_import(settings, file, as_json=as_json)


@click.group()
def rules() -> None:
    """The network's rules in the ledger: minimum work and maximum size of a block.

    Example: minequeue rules show
    """


@rules.command("show")
@settings_options("data_dir")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def show_rules(settings: Settings, as_json: bool) -> None:
    """Print the rules, with the block from which each holds.

    Example: minequeue rules show
    """
    from minequeue.compose.stack.rule_changes import show

    show(settings, as_json=as_json)


@rules.command("raise")
@settings_options("data_dir")
@click.option("--bits", type=click.IntRange(1, 64), metavar="N", help="Minimum work of a block.")
@click.option(
    "--block-transactions",
    type=click.IntRange(1, MAX_BLOCK_TRANSACTIONS),
    metavar="N",
    help="Maximum of transactions in a block.",
)
@click.option(
    "--block-bytes",
    type=click.IntRange(1024, MAX_BLOCK_BYTES),
    metavar="N",
    help="Maximum bytes of transactions in a block.",
)
@click.option(
    "--from", "first", type=click.IntRange(2), metavar="N", help="First block; by default the next."
)
def raise_rules(settings: Settings, first: int | None, **limits: int | None) -> None:
    """Raise some of the rules, starting with the next block or the block of --from.

    Give every worker the new bits first (MINEQUEUE_BITS): one with fewer bits than the ledger stops
    mining and says so. All nodes of a network raise their rules at the same block.

    Example: minequeue rules raise --bits 22 --from 5000
    """
    from minequeue.compose.stack.rule_changes import raise_to

    raise_to(settings, first, {name: value for name, value in limits.items() if value is not None})


COMMANDS = (check, export_backup, import_backup, rules)
