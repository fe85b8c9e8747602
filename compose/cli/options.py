"""Options of the command line that stand for settings."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click

from minequeue.compose.config.settings import PREFIX, Settings

F = TypeVar("F", bound=Callable[..., Any])


class _Option(NamedTuple):
    flags: list[str]
    metavar: str
    text: str


_OPTIONS = {
    "host": _Option(["--host"], "ADDRESS", "IP address to listen on (MINEQUEUE_HOST)."),
    "port": _Option(["--port"], "N", "The web tier's port (MINEQUEUE_PORT)."),
    "flower_port": _Option(["--flower-port"], "N", "Flower's port (MINEQUEUE_FLOWER_PORT)."),
    "data_dir": _Option(
        ["--data-dir"], "DIR", "Directory of chain, queue and logs (MINEQUEUE_DATA_DIR)."
    ),
    "miners": _Option(
        ["--miners", "--autoscale"],
        "MIN,MAX",
        "Minimum and maximum of miners (MINEQUEUE_MINERS).",
    ),
    "peer_allow": _Option(
        ["--peer-allow"],
        "LIST",
        "Networks and names of nodes that may be called (MINEQUEUE_PEER_ALLOW).",
    ),
    "bits": _Option(
        ["--bits"], "N", "Number of zero bits at the start of a block's hash (MINEQUEUE_BITS)."
    ),
    "network": _Option(["--network"], "NAME", "The network's name (MINEQUEUE_NETWORK)."),
}


def settings_options(*names: str) -> Callable[[F], F]:
    """Add options that stand for settings; the command gets the settings that result.

    A setting that stands in no table here gets an option by its own name.
    """

    def decorate(command: F) -> F:
        @wraps(command)
        def run(**options: Any) -> Any:
            said = {n: str(v) for n in names if (v := options.pop(n)) is not None}
            return command(Settings.from_environment(os.environ, said), **options)

        for name in reversed(names):
            option = _OPTIONS.get(name) or _derive(name)
            run = click.option(*option.flags, name, help=option.text, metavar=option.metavar)(run)
        return run  # type: ignore[return-value]  # click keeps the name, not the type

    return decorate


def _derive(name: str) -> _Option:
    variable = f"{PREFIX}{name.upper()}"
    return _Option([f"--{name.replace('_', '-')}"], "VALUE", f"In place of {variable}.")
