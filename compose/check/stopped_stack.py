"""The chain of a stack that does not run: its server is started for a moment, and only read.

So nothing is begun or compared here, as the start of a part does: a name that is mistaken would
begin a chain, and a check needs none of the node's rules.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask

from minequeue.chain.errors import LedgerLost
from minequeue.chain.ledger.rule_book import Page
from minequeue.chain.protocol.rules import RuleRecord
from minequeue.compose.check.chain_page import CannotRead
from minequeue.compose.config import embedded
from minequeue.compose.config.settings import Settings
from minequeue.compose.errors import StartRefused
from minequeue.compose.stack.data_dir import hold, hold_log, log_path, read_tail
from minequeue.compose.stack.zero_tail import find_zero_tail
from minequeue.compose.wiring.ledger import open_ledger
from minequeue.compose.wiring.services import make_services
from minequeue.web.app import create_app


@contextmanager
def serve(
    data_dir: Path, network: str
) -> Iterator[tuple[Callable[[str, int], bytes], RuleRecord | None]]:
    """Give a function that answers a path as the web tier would, cut off after so many bytes.

    With it, the rules that the ledger keeps; None where it is of the first version.

    Raises:
        CannotRead: it is no data directory, holds no chain of that network, or its log ends in
            zeros.
        NewerLedger: a later version made its ledger.
        StartRefused: it is in use, or its server does not start from what is there.
    """
    if not (data_dir / "ledger").is_dir():
        raise CannotRead(f"{data_dir} is no data directory: it holds no ledger.")
    with (
        hold(data_dir, _say) as place,
        hold_log(place) as lock,
        log_path(place, "server").open("ab") as log,
    ):
        if tail := find_zero_tail(place):
            raise CannotRead(
                f"The log of {data_dir} ends in zeros, as after a loss of power (after {tail.end} "
                f"of {tail.size} bytes); `minequeue up` cuts them off and keeps a copy."
            )
        options = {"data_dir": str(place), "redis_url": "", "network": network}
        settings = Settings.from_environment(os.environ, options)
        socket = embedded.socket_path(place)
        server = subprocess.Popen(  # noqa: S603  # our own program
            embedded.server_command(embedded.find_server(settings.server_binary), place, socket),
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
        )
        try:
            try:
                embedded.wait_until_ready(socket, lambda: server.poll() is None)
            except StartRefused as error:
                raise StartRefused(
                    f"{error} The end of {log.name}:\n{read_tail(Path(log.name))}"
                ) from None
            app, page = _open(settings)
            client = app.test_client()

            def get(path: str, most: int) -> bytes:
                raw = bytearray()
                with client.get(path) as answer:
                    for chunk in answer.iter_encoded():
                        raw += chunk
                        if len(raw) > most:
                            break
                return bytes(raw)

            yield get, page.record if page.format > 1 else None
        finally:
            server.terminate()
            server.wait()


def _open(settings: Settings) -> tuple[Flask, Page]:
    """The web app on what is there, and what the ledger says of itself.

    Raises:
        CannotRead: there is no chain of this network.
    """
    ledger = open_ledger(settings)
    try:
        page = ledger.rule_book.look()
    except LedgerLost:
        raise CannotRead(
            f"{settings.data_dir} holds no chain of the network {settings.network!r}; name its "
            "network with --network."
        ) from None
    services = make_services(settings, ledger, wake_miners=_nobody, wake_resolver=_nobody)
    return create_app(services), page


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)  # standard output may be JSON


def _nobody() -> None:
    """Nobody works here who could be woken."""
