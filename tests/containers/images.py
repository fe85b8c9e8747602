"""The images, of Debian's packages alone: no registry of images is asked."""

import subprocess
from pathlib import Path

from tests.compose_file import ROOT, SERVICES
from tests.containers.engine import BASE, Engine

# its Python is of the same version as that of the Dockerfile's own base
_SUITE = "trixie"
_PATH = "ENV=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# the packages come by this machine's own way to them, whatever certificates that takes
_BUILD = ("--format", "docker", "--network", "host", "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro")


def make_base(engine: Engine, directory: Path) -> None:
    """Make an image of Debian with its Python, in place of python:3.13-slim."""
    root = directory / "debian"
    packages = "--include=ca-certificates,python3-venv"
    subprocess.run(
        ["debootstrap", "--variant=minbase", packages, _SUITE, root],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    archive = directory / "debian.tar"
    subprocess.run(["tar", "--create", "--file", archive, "--directory", root, "."], check=True)
    engine.podman("import", "--quiet", "--change", _PATH, archive, BASE)


def make_minequeue(engine: Engine) -> None:
    """Build the Dockerfile."""
    _build(engine, ROOT / "compose" / "Dockerfile", "minequeue:latest", ROOT)


def make_valkey(engine: Engine) -> None:
    """Make an image of Debian's valkey, by the name that the compose file has."""
    here = Path(__file__).parent
    _build(engine, here / "valkey.Dockerfile", SERVICES["valkey"]["image"], here)


def _build(engine: Engine, file: Path, name: str, context: Path) -> None:
    engine.podman(
        "build", *_BUILD, "--build-arg", f"BASE={BASE}", "--tag", name, "--file", file, context
    )
