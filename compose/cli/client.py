"""What a node is asked, for people."""

import os
import sys
from typing import Any
from urllib.parse import quote

import click

from minequeue.compose.config.settings import Settings

_url_option = click.option(
    "--url", default="http://127.0.0.1:3000", show_default=True, help="The node's."
)
_SOURCE = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _call(url: str) -> Any:
    from minequeue.compose.client.node_client import NodeClient

    return NodeClient(url, Settings.from_environment(os.environ).token)


@click.command()
@_url_option
@click.option("--sender", help="Who pays.")
@click.option("--recipient", help="Who is paid; makes one transaction of these options.")
@click.option("--amount", type=int, help="How much, in the smallest unit.")
@click.option("--nonce", help="Makes equal payments distinct.")
@click.option("--name", help="The submission's name; else its file's path and first day.")
@click.option(
    "--receipts",
    # opened before anything is sent, and emptied when there is something to write
    type=click.File("a", lazy=False),
    help="File that gets every receipt, as NDJSON.",
)
@_json_option
@click.argument("source", type=_SOURCE, default="-")
def submit(
    url: str, source: str, name: str | None, receipts: Any, as_json: bool, **fields: Any
) -> None:
    """Submit one transaction, or one of each line of SOURCE (a file, or - for standard input).

    A line without nonce and signature is known by the submission's name, its text and how many
    equal lines stand before it. So a file may be sent again, corrected or whole: what is known adds
    nothing, and another --name pays again. A file's name is its path and the day of its first
    sending; if all of it was accepted on an earlier day, the command asks for a --name. Standard
    input needs one, unless each line has its nonce. Refused lines are named with the reason, and
    the exit code is then 1. What the node has no room for is sent again when it says.
    MINEQUEUE_TOKEN is shown to the node.

    Example: minequeue submit --sender alice --recipient bob --amount 5
    """
    from minequeue.compose.client.submit import run_submit, say, submit_one

    given = {name: value for name, value in fields.items() if value is not None}
    if given and "recipient" not in given:
        raise click.UsageError("One transaction needs --recipient; without options, name a file.")
    if given and (name or source != "-"):
        raise click.UsageError(
            "One transaction has no SOURCE and no --name; it may have a --nonce."
        )
    if given:
        say(submit_one(_call(url), given), as_json=as_json)
        return
    sys.exit(run_submit(_call(url), source, name, receipts, as_json=as_json))


@click.command()
@_url_option
@click.option("--wait", type=click.IntRange(0, 60), help="Seconds to wait for the block.")
@_json_option
def mine(url: str, wait: int | None, as_json: bool) -> None:
    """Ask for a block.

    Example: minequeue mine --wait 10
    """
    from minequeue.compose.client.submit import say

    headers = {"Prefer": f"wait={wait}"} if wait else {}
    say(_call(url).call("POST", "/chain/mine", b"", headers)[1], as_json=as_json)


@click.command()
@_url_option
@click.option("--watch", is_flag=True, help="Go on each second, with plots of the last minute.")
@_json_option
def status(url: str, watch: bool, as_json: bool) -> None:
    """Tell what waits, and who works on it.

    Example: minequeue status --watch
    """
    from minequeue.compose.client.status import follow, show_once

    (follow if watch else show_once)(_call(url), as_json=as_json)


@click.command()
@_url_option
@_json_option
@click.argument("transaction_id", metavar="ID")
def tx(url: str, transaction_id: str, as_json: bool) -> None:
    """Tell where the transaction ID is.

    Example: minequeue tx cb9eb56d567441e4e619c9fd5b7d4e74b7d94bec8978c47149124a641a0c6822
    """
    from minequeue.compose.client.submit import say

    say(_call(url).call("GET", f"/transactions/{quote(transaction_id, '')}")[1], as_json=as_json)


@click.command()
@_url_option
@_json_option
@click.argument("name")
def block(url: str, name: str, as_json: bool) -> None:
    """Print the block NAME: an index, or a hash.

    Example: minequeue block 2
    """
    from minequeue.compose.client.submit import say

    say(_call(url).call("GET", f"/chain/blocks/{quote(name, '')}")[1], as_json=as_json)


@click.command()
@click.argument("queue")
@click.argument("function")
def replay(queue: str, function: str) -> None:
    """Hand FUNCTION of AWS Lambda again what the queue at the URL QUEUE holds after failures.

    Each message of the queue becomes the event that it was, whichever source it came from, and is
    deleted once all of it was accepted; what was accepted before adds nothing. Needs the command
    aws, with rights to read the queue (and a table's stream) and to invoke the function. The exit
    code is 1 if a message was not accepted: it stays in the queue.

    Example: minequeue replay https://sqs.example/1/failed minequeue-lambda
    """
    from minequeue.compose.client.replay import Replay

    accepted = failed = 0
    for message, reason in Replay(queue, function).run():
        accepted, failed = accepted + (not reason), failed + bool(reason)
        click.echo(f"{message}: {reason or 'accepted'}")
    click.echo(f"{accepted} accepted, {failed} left in the queue.")
    sys.exit(1 if failed else 0)


COMMANDS = (submit, mine, status, tx, block, replay)
