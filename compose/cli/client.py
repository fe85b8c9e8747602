"""What a node is asked, for people."""

import os
import sys
from typing import Any
from urllib.parse import quote

import click

from minequeue.compose.config.settings import Settings

_url_option = click.option(
    "--url", default="http://127.0.0.1:3000", show_default=True, help="URL of the node."
)
_SOURCE = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _call(url: str) -> Any:
    from minequeue.compose.client.node_client import NodeClient

    return NodeClient(url, Settings.from_environment(os.environ).token)


@click.command()
@_url_option
@click.option("--sender", help="Address that pays.")
@click.option("--recipient", help="Address that is paid; these options then make one transaction.")
@click.option("--amount", type=int, help="Amount, in the smallest unit.")
@click.option("--nonce", help="Makes equal payments distinct.")
@click.option("--name", help="Name of the submission; by default its file's path and first day.")
@click.option(
    "--receipts",
    # opened before anything is sent, and emptied when there is something to write
    type=click.File("a", lazy=False),
    help="File for the receipts, as NDJSON.",
)
@_json_option
@click.argument("source", type=_SOURCE, default="-")
def submit(
    url: str, source: str, name: str | None, receipts: Any, as_json: bool, **fields: Any
) -> None:
    """Submit one transaction, or one from each line of SOURCE (a file, or - for standard input).

    A line without nonce and signature is identified by the submission's name, its text and the
    number of equal lines before it. So a file may be sent again, corrected or whole: known lines
    add nothing, and another --name pays again. The default name is the file's path and the day of
    its first sending; if the whole file was accepted on an earlier day, the command asks for a
    --name. Standard input needs a --name, unless each line has its nonce. Rejected lines are
    printed with the reason, and the exit code is then 1. If the node is full, the command waits and
    repeats. It sends MINEQUEUE_TOKEN to the node.

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
    """Request a block.

    Example: minequeue mine --wait 10
    """
    from minequeue.compose.client.submit import say

    headers = {"Prefer": f"wait={wait}"} if wait else {}
    say(_call(url).call("POST", "/chain/mine", b"", headers)[1], as_json=as_json)


@click.command()
@_url_option
@click.option("--watch", is_flag=True, help="Update every second, with plots of the last minute.")
@_json_option
def status(url: str, watch: bool, as_json: bool) -> None:
    """Show the queue and its miners.

    Example: minequeue status --watch
    """
    from minequeue.compose.client.status import poll, show_once

    (poll if watch else show_once)(_call(url), as_json=as_json)


@click.command()
@_url_option
@_json_option
@click.argument("transaction_id", metavar="ID")
def tx(url: str, transaction_id: str, as_json: bool) -> None:
    """Show whether the transaction ID is pending or mined, and its block.

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
    """Send the failed events in the queue at the URL QUEUE to FUNCTION of AWS Lambda again.

    Each message of the queue becomes its original event, from any source, and is deleted if all of
    it was accepted; what was accepted before adds nothing. Needs the command aws, with rights to
    read the queue (and a table's stream) and to invoke the function. If a message was rejected, it
    stays in the queue and the exit code is 1.

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
