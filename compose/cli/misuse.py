"""What is wrong with a command line, in one line."""

import click


def describe_misuse(error: click.ClickException) -> str:
    """The error in one line; where options or arguments are wrong, with where help is."""
    message = " ".join(error.format_message().split())
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return message
    return f"{message.rstrip('.')}; see {error.ctx.command_path} --help."
