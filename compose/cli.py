"""The minequeue command; each subcommand parses, calls one function and maps its error."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import click

from chain.errors import MinequeueError
from compose.completion import SHELLS, make_script
from compose.misuse import describe_misuse
from compose.options import settings_options
from compose.settings import Settings
from compose.simulation.shapes import SHAPES

_FILE = click.Path(dir_okay=False, path_type=Path)
_DIR = click.Path(file_okay=False, path_type=Path)


_POSITIVE = click.FloatRange(0, min_open=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="minequeue")
def cli() -> None:
    """Take bursts of transactions into a blockchain without losing one.

    Example: minequeue up
    """


@cli.command()
@settings_options("port", "data_dir", "workers", "host", "flower_port", "peer_allow")
def up(settings: Settings) -> None:
    """Start everything here: server, web tier, workers, resolver, Flower.

    Example: minequeue up --port 3000 --workers 1,4
    """
    from compose.up import run_up  # noqa: PLC0415  # what one command needs, others do not load

    run_up(settings)


@cli.command()
@settings_options("port", "host")
def web(settings: Settings) -> None:
    """Serve HTTP.

    Example: MINEQUEUE_REDIS_URL=redis://ledger:6379 minequeue web
    """
    from compose.processes import run_web  # noqa: PLC0415

    run_web(settings)


@cli.command()
@settings_options("workers", "data_dir")
@click.option("--name", default=None, help="Unique among the workers; else drawn from host and id.")
@click.option("--check", is_flag=True, help="Only tell whether it works: exit code 0, else 1.")
def worker(settings: Settings, name: str | None, check: bool) -> None:
    """Mine what is queued.

    With --check, for the probe of a container: has the worker of this name, or any worker of this
    data directory, read its queue in the last seconds (or is the server away, which no restart
    of a worker mends)?

    Example: MINEQUEUE_REDIS_URL=redis://ledger:6379 minequeue worker --autoscale 1,8
    """
    from compose.processes import check_worker, run_worker  # noqa: PLC0415

    if check:
        check_worker(settings, name)
        return
    run_worker(settings, name or f"worker-{os.getpid()}")


@cli.command()
@settings_options("data_dir", "peer_allow")
@click.option("--name", default=None, help="Unique among the workers; else drawn from host and id.")
@click.option("--check", is_flag=True, help="Only tell whether it works: exit code 0, else 1.")
def resolver(settings: Settings, name: str | None, check: bool) -> None:
    """Follow the other nodes: take over a heavier chain, and tell of ours.

    The only part that calls other machines. One is enough; of two, one waits.

    Example: minequeue resolver --peer-allow 10.2.0.0/16,node-b.example
    """
    from compose.processes import check_resolver, run_resolver  # noqa: PLC0415

    if check:
        check_resolver(settings, name)
        return
    run_resolver(settings, name or f"resolver-{os.getpid()}")


@cli.command()
@settings_options("flower_port", "host")
@click.option("--history", type=click.Path(path_type=Path), help="File that keeps its history.")
def flower(settings: Settings, history: Path | None) -> None:
    """Watch the workers in a browser.

    Example: MINEQUEUE_REDIS_URL=redis://ledger:6379 minequeue flower
    """
    from compose.processes import run_flower  # noqa: PLC0415

    run_flower(settings, history)


@cli.command()
@click.argument("source", default="http://127.0.0.1:3000")
@click.option("--bits", default=1, show_default=True, help="The least work that a block may have.")
@click.option("--network", help="The network's name that the genesis block must have.")
@click.option(
    "--processes",
    type=click.IntRange(1),
    metavar="N",
    help="How many may check a long chain; else one on each processor.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def check(
    source: str, bits: int, network: str | None, processes: int | None, as_json: bool
) -> None:
    """Validate a whole chain, independently of the code that made it.

    SOURCE is a node's URL, a file with the answer of GET /chain, - for standard input, or the data
    directory of a stack that does not run. The exit code is 1 if a block is invalid; it is named,
    with the reason.

    Example: minequeue check http://127.0.0.1:3000
    """
    from compose.check import run_check  # noqa: PLC0415

    sys.exit(
        run_check(source, minimum_bits=bits, network=network, processes=processes, as_json=as_json)
    )


@cli.command("export")
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
    from compose.backup.command import run_export  # noqa: PLC0415

    run_export(settings, file, first=first, is_resumed=is_resumed, as_json=as_json)


@cli.command("import")
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
    from compose.backup.command import run_import  # noqa: PLC0415

    run_import(settings, file, as_json=as_json)


_url_option = click.option(
    "--url", default="http://127.0.0.1:3000", show_default=True, help="The node's."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _call(url: str) -> Any:
    from compose.node_client import NodeClient  # noqa: PLC0415

    return NodeClient(url, Settings.from_environment(os.environ).token)


@cli.command()
@_url_option
@click.option("--sender", help="Who pays.")
@click.option("--recipient", help="Who is paid; makes one transaction of these options.")
@click.option("--amount", type=int, help="How much, in the smallest unit.")
@click.option("--nonce", help="Makes equal payments distinct.")
@click.option(
    "--receipts",
    # opened before anything is sent
    type=click.File("w", lazy=False),
    help="File that gets every receipt, as NDJSON.",
)
@_json_option
@click.argument("source", type=click.File("rb"), default="-")
def submit(url: str, source: Any, receipts: Any, as_json: bool, **fields: Any) -> None:
    """Submit one transaction, or one of each line of SOURCE (a file, or - for standard input).

    The exit code is 1 if any is refused. What the node has no room for is sent again when it says.
    A file that is sent twice within a day adds nothing the second time, and gives the same
    receipts.
    MINEQUEUE_TOKEN is shown to the node.

    Example: minequeue submit --sender alice --recipient bob --amount 5
    """
    from compose.submit import describe, say, submit_lines, submit_one  # noqa: PLC0415

    given = {name: value for name, value in fields.items() if value is not None}
    if given and "recipient" not in given:
        raise click.UsageError("One transaction needs --recipient; without options, name a file.")
    if given:
        say(submit_one(_call(url), given), as_json=as_json)
        return
    accepted, refused = submit_lines(_call(url), source, receipts)
    click.echo(describe(accepted, refused, as_json=as_json))
    sys.exit(1 if refused else 0)


@cli.command()
@_url_option
@click.option("--wait", type=click.IntRange(0, 60), help="Seconds to wait for the block.")
@_json_option
def mine(url: str, wait: int | None, as_json: bool) -> None:
    """Ask for a block.

    Example: minequeue mine --wait 10
    """
    from compose.submit import say  # noqa: PLC0415

    headers = {"Prefer": f"wait={wait}"} if wait else {}
    say(_call(url).call("POST", "/chain/mine", b"", **headers)[1], as_json=as_json)


@cli.command()
@_url_option
@click.option("--watch", is_flag=True, help="Go on each second, with plots of the last minute.")
@_json_option
def status(url: str, watch: bool, as_json: bool) -> None:
    """Tell what waits, and who works on it.

    Example: minequeue status --watch
    """
    from compose.status import follow, show_once  # noqa: PLC0415

    (follow if watch else show_once)(_call(url), as_json=as_json)


@cli.command()
@_url_option
@_json_option
@click.argument("transaction_id", metavar="ID")
def tx(url: str, transaction_id: str, as_json: bool) -> None:
    """Tell where the transaction ID is.

    Example: minequeue tx cb9eb56d567441e4e619c9fd5b7d4e74b7d94bec8978c47149124a641a0c6822
    """
    from compose.submit import say  # noqa: PLC0415

    say(_call(url).call("GET", f"/transactions/{quote(transaction_id, '')}")[1], as_json=as_json)


@cli.command()
@_url_option
@_json_option
@click.argument("name")
def block(url: str, name: str, as_json: bool) -> None:
    """Print the block NAME: an index, or a hash.

    Example: minequeue block 2
    """
    from compose.submit import say  # noqa: PLC0415

    say(_call(url).call("GET", f"/chain/blocks/{quote(name, '')}")[1], as_json=as_json)


@cli.group()
def key() -> None:
    """Keys that sign transactions.

    Example: minequeue key new alice.key
    """


@key.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def new(file: Path, as_json: bool) -> None:
    """Draw a key, keep it in FILE, and print its address.

    FILE is readable by its owner alone, and never overwritten. Whoever has it spends from the
    address, and without it nobody does.

    Example: minequeue key new alice.key
    """
    from compose.key_file import write_key  # noqa: PLC0415
    from compose.sign import describe_key  # noqa: PLC0415

    click.echo(describe_key(write_key(file), as_json=as_json))


@key.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def show(file: Path, as_json: bool) -> None:
    """Print the address of the key in FILE.

    Example: minequeue key show alice.key
    """
    from compose.key_file import read_key  # noqa: PLC0415
    from compose.sign import describe_key  # noqa: PLC0415

    click.echo(describe_key(read_key(file), as_json=as_json))


@cli.group()
def token() -> None:
    """Tokens that let clients in.

    Example: minequeue token new --name shop --scope submit
    """


@token.command("new")
@click.option("--name", required=True, help="Whose it is.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["submit", "mine", "peer", "admin"]),
    help="What it may do; may be said again.",
)
@click.option("--requests", default=0, show_default=True, help="Requests a second; 0: no limit.")
@click.option("--entries", default=0, show_default=True, help="Transactions a second.")
@click.option("--json", "as_json", is_flag=True, help="Print both as JSON.")
def new_token(**options: Any) -> None:
    """Draw a token, and print it with the entry that the node keeps of it.

    The token is shown this once: the node keeps its hash alone.

    Example: minequeue token new --name shop --scope submit --requests 100
    """
    from compose.token import run_new_token  # noqa: PLC0415

    run_new_token(**options)


@cli.command()
@click.option("--key", "key_file", type=_FILE, required=True, help="The sender's key.")
@click.argument("source", type=click.File("rb"), default="-")
def sign(key_file: Path, source: Any) -> None:
    """Sign transactions: JSON in, one a line, and what POST /chain/new takes out.

    The sender may be left out, and a nonce is drawn where there is none. SOURCE is a file, or - for
    standard input.

    Example: minequeue sign --key alice.key payments.ndjson | curl --data-binary @- -H
    'Content-Type: application/x-ndjson' http://127.0.0.1:3000/chain/new
    """
    from compose.key_file import read_key  # noqa: PLC0415
    from compose.sign import run_sign  # noqa: PLC0415

    run_sign(source, read_key(key_file))


@cli.group()
def proof() -> None:
    """Proofs that a transaction is in a block.

    Example: minequeue proof verify proof.json
    """


@proof.command()
@click.argument("file", type=_FILE)
@click.option("--header", type=_FILE, help="A header that you trust; else the proof's own.")
@click.option("--json", "as_json", is_flag=True, help="Print what it shows as JSON.")
def verify(file: Path, header: Path | None, as_json: bool) -> None:
    """Verify FILE, the answer of GET /transactions/<id>/proof, without a node.

    The exit code is 1 if it does not show that the transaction is in the block.

    Example: minequeue proof verify proof.json --header header.json
    """
    from compose.proof import run_verify  # noqa: PLC0415

    run_verify(file, header, as_json=as_json)


@cli.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def bench(name: str, as_json: bool) -> None:
    """Measure this machine.

    NAME is hash, scaling, submit, drain, connect, scale, check, signatures, reorganise, pages,
    lambda, backup or cost.
    Each compares with a yardstick in the same run; let nothing else run meanwhile. The exit code is
    1 if a goal is missed. Needs the source checkout and what `make test` installs.

    Example: minequeue bench hash
    """
    from compose.bench import run_bench  # noqa: PLC0415

    sys.exit(run_bench(name, as_json=as_json))


@cli.command()
@click.argument("url", default="http://127.0.0.1:3000")
@click.option("--requests", default=5000, show_default=True, help="How many in all.")
@click.option("--concurrency", default=50, show_default=True, help="How many at once.")
@click.option("--submit", default=97.0, show_default=True, help="Weight of POST /chain/new.")
@click.option("--mine", default=1.0, show_default=True, help="Weight of GET /chain/mine.")
@click.option("--read", default=2.0, show_default=True, help="Weight of GET /chain, one page.")
@click.option("--bursts", default=1, show_default=True, help="In how many bursts.")
@click.option("--pause", default=10.0, show_default=True, help="Seconds between two bursts.")
@click.option("--retry", is_flag=True, help="Repeat what is refused or unanswered until accepted.")
@click.option("--seed", type=int, help="Decides order and names; else drawn.")
@click.option("--file", type=_FILE, help="NDJSON: transactions to submit, and nothing else.")
@click.option("--receipts", type=_FILE, help="File that gets every receipt, as NDJSON.")
@click.option("--wait", default=600.0, show_default=True, help="Seconds to wait for the chain.")
@click.option("--yes-i-own-this", "is_owned", is_flag=True, help="The URL may be another machine.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON.")
def burst(**options: Any) -> None:
    """Send a burst to a node, and look for every receipt in its chain.

    The exit code is 1 if anything that was accepted is not in the chain, or stands there twice.

    Example: minequeue burst http://127.0.0.1:3000 --requests 75000 --concurrency 100
    """
    from compose.burst.command import run_burst  # noqa: PLC0415
    from compose.burst.options import read_options  # noqa: PLC0415

    sys.exit(run_burst(**read_options(options)))


@cli.command()
@click.option("--requests", default=75000, show_default=True, help="How many, at each design.")
@click.option("--report", type=_FILE, help="HTML file to write: both timelines, side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of both as JSON.")
def experiment(requests: int, report: Path | None, as_json: bool) -> None:
    """Send one burst at this design and at the one that mines inside the request.

    Starts both on free ports, sends burst, pause, burst, and looks for every receipt. The exit code
    is 1 if this design gave an answer of 500 or above, or lost or doubled anything. Needs the
    source checkout and what `make test` installs.

    Example: minequeue experiment --requests 20000 --report report.html
    """
    from compose.checkout import import_from_checkout  # noqa: PLC0415

    run = import_from_checkout("tests.chaos.experiment").run_experiment
    sys.exit(run(requests, report, as_json=as_json))


@cli.command()
@click.argument("shape", type=click.Choice([*SHAPES]))
@settings_options("workers", "bits", "drain_time", "quiet_time")
@click.option(
    "--rate", type=_POSITIVE, default=60_000.0, show_default=True, help="Most requests a minute."
)
@click.option(
    "--minutes", type=_POSITIVE, default=10.0, show_default=True, help="How long requests arrive."
)
@click.option(
    "--mine-share",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="What share of them are mine requests.",
)
@click.option(
    "--hash-rate",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="Of each miner, in hashes a second.",
)
@click.option(
    "--start-delay",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    help="How long a miner takes to start, in seconds.",
)
@click.option("--seed", default=1, show_default=True, help="Of all that is drawn.")
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="SVG file to draw load, depth and miners into.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def simulate_scaling(
    settings: Settings, shape: str, picture: Path | None, as_json: bool, **assumed: Any
) -> None:
    """Try the scaling policy on a load and a fleet that are not here.

    SHAPE is how the load rises and falls. What is not said is as the settings say.

    Example: minequeue simulate-scaling burst --workers 0,1000 --rate 1000000 --plot burst.svg
    """
    from compose.simulation.command import make_world, run_simulation  # noqa: PLC0415

    world = make_world(settings, **assumed)
    run_simulation(world, shape, picture=picture, as_json=as_json)


@cli.command()
@click.option("--rounds", default=10, show_default=True, help="How many.")
@click.option("--seed", default=1, show_default=True, help="Of the first round; then one up.")
@click.option("--at-least", default=0, show_default=True, help="How often each fault must happen.")
@click.option("--strict", is_flag=True, help="Fail for a fault that this machine does not allow.")
@click.option("--resume-restarts", type=int, help="Instead: so many restarts of the server.")
@click.option("--lost-replies", type=int, help="Instead: so many replies lost to the ledger.")
@click.option("--splits", type=int, help="Instead: three nodes, cut apart and joined so often.")
@click.option("--data-dir", type=_DIR, help="Where stacks keep their data; else a new directory.")
@click.option("--report", type=_FILE, help="HTML file to write, with the faults in it.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def chaos(**options: Any) -> None:
    """Kill, freeze, cut and fill what a stack consists of, under load, and look for every receipt.

    Starts stacks of its own on free ports. A round is a few faults, drawn from its seed; --seed S
    --rounds 1 plays it again. The exit code is 1 if a promise was broken. Needs the source checkout
    and what `make test` installs.

    Example: minequeue chaos --rounds 20 --seed 1 --at-least 1
    """
    from compose.checkout import import_from_checkout  # noqa: PLC0415

    sys.exit(import_from_checkout("tests.chaos.command").run(**options))


@cli.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script by which SHELL completes commands and options.

    Bash reads it where the example puts it; zsh as _minequeue in a directory of its fpath; fish as
    ~/.config/fish/completions/minequeue.fish.

    Example: minequeue completion bash > ~/.local/share/bash-completion/completions/minequeue
    """
    click.echo(make_script(cli, shell), nl=False)


def main() -> None:
    """Run the command; an error is one sentence and exit code 1, or 2 for a wrong command line."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(describe_misuse(error), error.exit_code)
    except click.Abort:
        sys.exit(130)
    except MinequeueError as error:
        _fail(str(error), 1)
    except OSError as error:
        if error.filename is None:
            raise  # not about a file that the user named
        _fail(f"{error.filename} cannot be used ({error.strerror}).", 1)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"minequeue: {message}", err=True)
    sys.exit(code)
