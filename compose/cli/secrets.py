"""Keys, signatures, tokens and proofs: what needs no node."""

from pathlib import Path
from typing import Any

import click

from minequeue.compose.cli.options import settings_options
from minequeue.compose.config.settings import Settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def key() -> None:
    """Keys that sign transactions.

    Example: minequeue key new alice.key
    """


@key.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def new(file: Path, as_json: bool) -> None:
    """Make a key, save it in FILE, and print its address.

    Only its owner can read FILE, and FILE is never overwritten. Whoever has it can spend from the
    address; if the network requires signatures, nobody else can.

    Example: minequeue key new alice.key
    """
    from minequeue.compose.client.key_file import write_key
    from minequeue.compose.client.sign import describe_key

    click.echo(describe_key(write_key(file), as_json=as_json))


@key.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def show(file: Path, as_json: bool) -> None:
    """Print the address of the key in FILE.

    Example: minequeue key show alice.key
    """
    from minequeue.compose.client.key_file import read_key
    from minequeue.compose.client.sign import describe_key

    click.echo(describe_key(read_key(file), as_json=as_json))


@click.group()
def token() -> None:
    """Tokens that give clients access.

    Example: minequeue token new --name shop --scope submit
    """


@token.command("new")
@click.option("--name", required=True, help="Name of the client.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["submit", "mine", "peer", "admin"]),
    help="Scope; may be repeated.",
)
@click.option("--requests", default=0, show_default=True, help="Requests per second; 0: no limit.")
@click.option(
    "--entries", default=0, show_default=True, help="Transactions per second; 0: no limit."
)
@click.option("--json", "as_json", is_flag=True, help="Print both as JSON.")
def new_token(**options: Any) -> None:
    """Make a token, and print it with its entry for MINEQUEUE_TOKENS.

    The token is shown only once: the entry has its hash.

    Example: minequeue token new --name shop --scope submit --requests 100
    """
    from minequeue.compose.client.token import run_new_token

    run_new_token(**options)


@click.command()
@click.option("--key", "key_file", type=_FILE, required=True, help="The sender's key.")
@click.option("--name", help="Name of the submission; it determines the nonces.")
@click.argument("source", type=click.File("rb"), default="-")
def sign(key_file: Path, name: str | None, source: Any) -> None:
    """Sign transactions: one JSON object per line in, the body for POST /chain/new out.

    The sender may be left out. A line without nonce gets one. With --name it is always the same, as
    with `minequeue submit --name`, so that a corrected file may be signed and sent again; without
    --name it is random. SOURCE is a file, or - for standard input.

    Example: minequeue sign --key alice.key payments.ndjson | curl --data-binary @- -H
    'Content-Type: application/x-ndjson' http://127.0.0.1:3000/chain/new
    """
    from minequeue.compose.client.key_file import read_key
    from minequeue.compose.client.sign import run_sign

    run_sign(source, read_key(key_file), name)


@click.group()
def proof() -> None:
    """Proofs that a transaction is in a block.

    Example: minequeue proof verify proof.json
    """


@proof.command()
@click.argument("file", type=_FILE)
@click.option("--header", type=_FILE, help="A header that you trust; by default the proof's own.")
@click.option(
    "--headers",
    type=_FILE,
    multiple=True,
    help="A page of GET /chain/headers, starting with block 1; may be repeated.",
)
@settings_options("bits", "network")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(
    settings: Settings, file: Path, header: Path | None, headers: tuple[Path, ...], as_json: bool
) -> None:
    """Verify FILE, the answer of GET /transactions/<id>/proof, without a node.

    A block needs the bits of --bits or the settings: one with less work is cheap to forge. The
    proof's own header does not prove its network. --headers reads the network's headers from the
    first block on and verifies their links; --header reads one that you trust. The exit code is 1
    if FILE does not prove that the transaction is in the block.

    Example: minequeue proof verify proof.json --header header.json
    """
    from minequeue.compose.client.proof import run_verify

    run_verify(
        file,
        header,
        headers,
        minimum_bits=settings.bits,
        network=settings.network,
        as_json=as_json,
    )


COMMANDS = (key, token, sign, proof)
