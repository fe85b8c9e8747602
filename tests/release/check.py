"""`make dist-check`: each distribution in an empty environment of each Python, installed and used.

What it prints is what was seen. A Python that is not on this machine is named, and not checked.
"""

import configparser
import sys
import tempfile
import time
from pathlib import Path

import click

from minequeue.compose.aws.build_zip import find_python
from tests.release import CHECKOUT
from tests.release.environment import Environment, InstalledStack
from tests.release.use import use

PYTHONS = ("3.11", "3.12", "3.13")


@click.command()
@click.argument("versions", nargs=-1)
def main(versions: tuple[str, ...]) -> None:
    """Check what `make dist` made with the Pythons VERSIONS, else with all that it is made for."""
    distributions = find_distributions(CHECKOUT / "dist")
    missing = []
    for version in versions or PYTHONS:
        python = find_python(version)
        if python is None:
            missing.append(version)
            continue
        for distribution in distributions:
            _check(python, distribution)
    if missing:
        click.echo(f"NOT CHECKED, since they are not on this machine: Python {', '.join(missing)}")
    sys.exit(len(missing) == len(versions or PYTHONS))


def find_distributions(directory: Path) -> list[Path]:
    """The wheel and the source distribution of this version; both must be there."""
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    name = f"minequeue-{setup['metadata']['version']}"
    found = [directory / f"{name}-py3-none-any.whl", directory / f"{name}.tar.gz"]
    for path in found:
        assert path.is_file(), f"{path} is not there; make dist"
    return found


def _check(python: str, distribution: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        environment = Environment(Path(scratch) / "environment", python, distribution)
        about = environment.ask(
            "import sys; from importlib.metadata import distributions, version;"
            "print(f'{len([*distributions()])} packages with minequeue {version(\"minequeue\")}, '"
            "f'Python {sys.version.split()[0]}')"
        )
        click.echo(f"{distribution.name}: {about} ({time.monotonic() - began:.0f} s)")
        for line in use(InstalledStack(environment, Path(scratch))):
            click.echo(f"  {line}")


if __name__ == "__main__":
    main()
