"""`make sbom`: what the wheel brings along, as a CycloneDX document, dist/sbom.json.

It lists what an empty environment holds after the wheel was installed, as cyclonedx-py finds it,
and what the wheel itself carries of others' work, which no package names.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from tests.release import CHECKOUT
from tests.release.check import find_distributions
from tests.release.environment import Environment

OURS = "minequeue"
# the directories of web/vendor, each a package of npm: its name there, its licence
VENDORED = {"swagger-ui": ("swagger-ui-dist", "Apache-2.0")}


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / "dist" / "sbom.json",
    help="The file to write; else dist/sbom.json.",
)
def main(output: Path) -> None:
    """List what the wheel of `make dist` brings along."""
    wheel, _ = find_distributions(CHECKOUT / "dist")
    with tempfile.TemporaryDirectory() as scratch:
        environment = Environment(Path(scratch) / "environment", sys.executable, wheel)
        bom = describe(environment)
    write(bom, output)
    click.echo(f"{output}: {len(bom.components)} components")


def describe(environment: Environment) -> Bom:
    """What is in the environment; minequeue is what the document is about."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cyclonedx_py", "environment"),
            *("--output-file", "-", str(environment.python)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    bom: Bom = Bom.from_json(json.loads(done.stdout))  # type: ignore[attr-defined]  # made at run time
    (ours,) = [component for component in bom.components if component.name == OURS]
    bom.components.remove(ours)
    ours.external_references.clear()  # where the wheel lay on this machine
    ours.components.update(_vendored())
    bom.metadata.component = ours
    return bom


def write(bom: Bom, output: Path) -> None:
    """Write it as JSON of CycloneDX 1.6."""
    writer = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    writer.output_to_file(str(output), allow_overwrite=True, indent=2)


def _vendored() -> list[Component]:
    """What lies in web/vendor; every directory there is known here."""
    found = []
    for directory in sorted((CHECKOUT / "web" / "vendor").iterdir()):
        name, licence = VENDORED[directory.name]
        version = (directory / "VERSION").read_text().strip().removeprefix("v")
        found.append(
            Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                licenses=[LicenseFactory().make_from_string(licence)],
                purl=PackageURL("npm", name=name, version=version),
                bom_ref=f"{name}=={version}",
            )
        )
    return found


if __name__ == "__main__":
    main()
