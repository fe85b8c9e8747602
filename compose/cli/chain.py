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
    help="How many may check a long chain; else one on each processor.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def check(settings: Settings, source: str, processes: int | None, as_json: bool) -> None:
    """Validate a whole chain, independently of the code that made it.

    SOURCE is a node's URL, a file with the answer of GET /chain, - for standard input, or the data
    directory of a stack that does not run. A block needs the bits, and the chain the network, that
    the options or the settings name: what a stranger's chain says of itself proves nothing. Of a
    data directory the rules count that its ledger keeps, in place of --bits. The exit code is 1 if
    a block is invalid; it is named, with the reason.

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
    from minequeue.compose.backup.command import run_export

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
    from minequeue.compose.backup.command import run_import

    run_import(settings, file, as_json=as_json)


@click.group()
def rules() -> None:
    """The network's rules as the ledger keeps them: least work and largest block.

    Example: minequeue rules show
    """


@rules.command("show")
@settings_options("data_dir")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def show_rules(settings: Settings, as_json: bool) -> None:
    """Print the rules, and from which block on each was kept.

    Example: minequeue rules show
    """
    from minequeue.compose.stack.rule_changes import show

    show(settings, as_json=as_json)


@rules.command("raise")
@settings_options("data_dir")
@click.option("--bits", type=click.IntRange(1, 64), metavar="N", help="The least work of a block.")
@click.option(
    "--block-transactions",
    type=click.IntRange(1, MAX_BLOCK_TRANSACTIONS),
    metavar="N",
    help="The most transactions in a block.",
)
@click.option(
    "--block-bytes",
    type=click.IntRange(1024, MAX_BLOCK_BYTES),
    metavar="N",
    help="The most bytes of transactions in a block.",
)
@click.option(
    "--from", "first", type=click.IntRange(2), metavar="N", help="The first block; else the next."
)
def raise_rules(settings: Settings, first: int | None, **limits: int | None) -> None:
    """Raise some of the rules, from the next block or the one that --from names on.

    Give every worker the new bits first (MINEQUEUE_BITS): one that has fewer than the ledger stops
    mining, and says so. All nodes of a network raise their rules from the same block on.

    Example: minequeue rules raise --bits 22 --from 5000
    """
    from minequeue.compose.stack.rule_changes import raise_to

    raise_to(settings, first, {name: value for name, value in limits.items() if value is not None})


COMMANDS = (check, export_backup, import_backup, rules)
