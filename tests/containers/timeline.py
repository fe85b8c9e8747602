"""What is done, line by line, with the time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    say(f"{what} ({time.monotonic() - began:.1f} s)")


def say(text: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {text}")
