"""`make lowest`: the lowest versions that setup.cfg allows, installed and used.

A floor that nobody tries is a guess: a newer version is what everybody has.
"""

import sys
import tempfile
import time
from pathlib import Path

import click

from minequeue.compose.aws.build_zip import find_python
from tests.release import CHECKOUT
from tests.release.check import PYTHONS, find_distributions
from tests.release.environment import Environment, InstalledStack
from tests.release.use import use


@click.command()
def main() -> None:
    """Use the wheel of `make dist` with the lowest versions of all that it names."""
    wheel, _ = find_distributions(CHECKOUT / "dist")
    # the oldest one, for which there are wheels of the oldest versions
    python = find_python(PYTHONS[0]) or sys.executable
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        environment = Environment(Path(scratch) / "environment", python, wheel, lowest=True)
        about = environment.ask(
            "from importlib.metadata import version;"
            "print(', '.join(f'{name} {version(name)}' for name in "
            "('celery', 'redis', 'flask', 'granian', 'flower', 'aiohttp')))"
        )
        click.echo(f"lowest versions: {about} ({time.monotonic() - began:.0f} s)")
        for line in use(InstalledStack(environment, Path(scratch))):
            click.echo(f"  {line}")


if __name__ == "__main__":
    main()
