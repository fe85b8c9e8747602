"""``minequeue rules``: what the ledger keeps of its network's rules, shown and raised."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

import click

from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring.ledger import open_ledger
from minequeue.compose.wiring.no_server import saying_why_no_server_answers


def show(settings: Settings, *, as_json: bool) -> None:
    """Print the rules of the ledger that the settings name, by the block from which on they hold.

    Raises:
        UnusableLedger: there is no such ledger.
        NoServer: its server does not answer.
    """
    with saying_why_no_server_answers():
        page = open_ledger(settings).rule_book.look()
    changes = [{"from": first, **asdict(limits)} for first, limits in page.record.changes]
    if as_json:
        click.echo(json.dumps({"format": page.format, "rules": changes}))
        return
    click.echo(f"format {page.format}, tip {page.tip}")
    for change in changes:
        click.echo(
            f"from block {change['from']}: at least {change['bits']} bits, at most "
            f"{change['block_transactions']} transactions and {change['block_bytes']} bytes"
        )


def raise_to(settings: Settings, first: int | None, limits: Mapping[str, int]) -> None:
    """Raise some of the rules, and print from which block on they hold.

    Args:
        settings: they name the ledger.
        first: the index of that block, or None for the next one.
        limits: by the names of :class:`chain.protocol.rules.Limits`.

    Raises:
        UsageError: no rule is named.
        RulesNotRaised: they cannot be raised so.
        UnusableLedger, NoServer: see :func:`show`.
    """
    if not limits:
        raise click.UsageError("Name what to raise: --bits, --block-transactions, --block-bytes.")
    with saying_why_no_server_answers():
        book = open_ledger(settings).rule_book
        _, now = book.read().record.changes[-1]
        begins = book.raise_limits(replace(now, **limits), first)
    click.echo(f"raised from block {begins} on")
