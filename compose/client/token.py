"""``minequeue token new``: a token for a client, and what a node keeps of it."""

import json

import click

from minequeue.web.guard.tokens import draw_token, make_entry


def run_new_token(
    *, name: str, scopes: tuple[str, ...], requests: int, entries: int, as_json: bool
) -> None:
    """Draw a token and print it.

    Raises:
        BadToken: the name or a limit cannot be used.
    """
    text = draw_token()
    entry = str(make_entry(name, list(scopes), text, requests, entries))
    if as_json:
        click.echo(json.dumps({"token": text, "entry": entry}))
    else:
        click.echo(f"token (for the client, shown once): {text}")
        click.echo(f"entry (for MINEQUEUE_TOKENS):       {entry}")
