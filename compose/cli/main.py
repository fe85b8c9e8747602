"""The minequeue command: its subcommands, and every error as one line and an exit code."""

import sys
from typing import NoReturn

import click

from minequeue.chain.errors import MinequeueError
from minequeue.compose.cli import burst, chain, client, parts, secrets
from minequeue.compose.cli.completion import SHELLS, make_script
from minequeue.compose.cli.misuse import describe_misuse
from minequeue.compose.text.terminal import escape


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="minequeue")
def cli() -> None:
    """Take bursts of transactions into a blockchain without losing one.

    Example: minequeue up
    """


for _module in (parts, chain, client, secrets, burst):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


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
    """Run minequeue."""
    run_command(cli)


def run_command(command: click.Command) -> None:
    """Run it; an error is one sentence and exit code 1, or 2 for a wrong command line."""
    try:
        command(standalone_mode=False)
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
    click.echo(f"minequeue: {escape(message)}", err=True)
    sys.exit(code)
