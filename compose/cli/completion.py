"""``minequeue completion``: what a shell needs to complete the command line, by click."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
_NAME = "minequeue"
# by which the script asks the command; click derives the same name from the command's
_VARIABLE = "_MINEQUEUE_COMPLETE"


def make_script(cli: click.Group, shell: str) -> str:
    """The script for one of SHELLS."""
    found = get_completion_class(shell)
    if found is None:
        raise AssertionError(f"click completes for {SHELLS}")
    return found(cli, {}, _NAME, _VARIABLE).source()
