"""Builds dist/lambda.zip: the function of AWS Lambda, with all that it needs and AWS has not.

Two builds from the same sources and the same versions give the same bytes. The versions are those
that are installed here, which the checks ran with. Of our own code it holds what the function
imports. Lambda's directory is read-only, so what is not compiled is compiled anew at every cold
start: it is compiled where a Python of the version that it is built for is at hand.

`make lambda` runs it in a checkout; it is no part of what is installed.
"""

import configparser
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution, distributions, requires
from modulefinder import ModuleFinder
from pathlib import Path

import click
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[2]
_ENTRIES = ("minequeue/web/lambda_handler.py", "minequeue/compose/wiring/lambda_entry.py")
# whose data it needs: what compose/ holds beside code describes other deployments
_DATA_OF = ("minequeue.chain.ledger", "minequeue.web")
_GROUP = "minequeue.lambda"
# of what minequeue depends on, all that the function imports
_NEEDED = frozenset(
    {"apig-wsgi", "flask", "hiredis", "msgspec", "prometheus_client", "pynacl", "redis", "rfc8785"}
)
# Amazon Linux 2023, on which Lambda runs Python 3.12 and later, has glibc 2.34
_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64")
_TASK = "/var/task"  # where Lambda unpacks it
# what an installer notes of itself, and commands, of which a function has none
_LEFT_OUT = ("bin", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED")
# where tools that keep several Pythons put them, which need not be on PATH; seen from home
_KEPT = (".pyenv/versions/{}.*/bin/python", ".local/share/uv/python/cpython-{}.*/bin/python")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_MODE = 0o100644 << 16
_MB = 10**6


@click.command()
@click.option("--python", "version", default="3.13", show_default=True, help="Lambda's Python.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / "dist" / "lambda.zip",
    help="The file to write; else dist/lambda.zip.",
)
def main(version: str, output: Path) -> None:
    """Build the function of AWS Lambda (x86_64)."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "function"
        install(root, version)
        is_compiled = _compile(root, version)
        files = write_zip(root, output)
        unpacked = sum(path.stat().st_size for path in files)
    size = output.stat().st_size
    click.echo(
        f"{output}: {size / _MB:.1f} MB ({size:,} bytes), {unpacked / _MB:.1f} MB unpacked, "
        f"{len(files)} files, for Python {version} on x86_64"
    )
    click.echo(f"sha256 {hashlib.sha256(output.read_bytes()).hexdigest()}")
    if not is_compiled:
        click.echo(f"not compiled: there is no python{version} here; cold starts take longer")


def install(root: Path, version: str) -> None:
    """Put all that the function consists of into ``root``, which does not exist yet.

    Raises:
        ClickException: a library cannot be had for that Python.
    """
    _install_libraries(root, version)
    for pattern in _LEFT_OUT:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in _find_sources():
        target = root / path.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    _describe(root)


def write_zip(root: Path, output: Path) -> list[Path]:
    """Write the files of ``root`` to ``output``, and give them; neither order nor time varies."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _EPOCH)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    part.replace(output)
    return files


def find_python(version: str) -> str | None:
    """The executable of a Python of this version, such as "3.12", or None."""
    for candidate in _candidates(version):
        if _version_of(candidate) == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    for pattern in _KEPT:
        yield from map(str, sorted(Path.home().glob(pattern.format(version)), reverse=True))


def _version_of(python: str) -> str:
    say = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(  # noqa: S603  # found by the name of an interpreter
        [python, "-c", say], capture_output=True, text=True, check=False
    ).stdout.strip()


def _install_libraries(root: Path, version: str) -> None:
    needed = [
        f"{requirement.name}{requirement.specifier}"
        for requirement in map(Requirement, requires("minequeue") or ())
        if requirement.name in _NEEDED and _is_wanted(requirement)
    ]
    constraints = root.with_name("constraints.txt")
    constraints.write_text("".join(f"{line}\n" for line in _installed_versions()))
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--target", str(root), "--no-compile", "--constraint", str(constraints)),
            *("--only-binary=:all:", "--implementation", "cp", "--python-version", version),
            *platforms,
            *sorted(set(needed)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(
            f"The libraries cannot be had for Python {version}:\n{done.stderr}"
        )


def _is_wanted(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": "lambda"})


def _installed_versions() -> Iterator[str]:
    for found in distributions():
        if found.name != "minequeue":
            yield f"{found.name}=={found.version}"


def _find_sources() -> list[Path]:
    """The modules that the function imports, and the data of their packages."""
    finder = ModuleFinder([str(CHECKOUT)])
    paths = {CHECKOUT / entry for entry in _ENTRIES}
    for entry in _ENTRIES:
        finder.run_script(str(CHECKOUT / entry))
        found = (getattr(module, "__file__", None) for module in finder.modules.values())
        paths |= {Path(file) for file in found if file}
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    for package in _DATA_OF:
        for pattern in setup["options.package_data"][package].split():
            paths.update(filter(Path.is_file, (CHECKOUT / package.replace(".", "/")).glob(pattern)))
    return sorted(paths)


def _describe(root: Path) -> None:
    """Write what says of the package which version it is, and who makes the function."""
    version = distribution("minequeue").version
    about = root / f"minequeue-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: minequeue\nVersion: {version}\n", "utf-8"
    )
    (maker,) = distribution("minequeue").entry_points.select(group=_GROUP)
    (about / "entry_points.txt").write_text(f"[{_GROUP}]\n{maker.name} = {maker.value}\n", "utf-8")


def _compile(root: Path, version: str) -> bool:
    """Compile what is in ``root``, and tell whether a Python for it was found."""
    python = find_python(version)
    if python is None:
        return False
    subprocess.run(  # noqa: S603  # a Python's own module
        [
            *(python, "-m", "compileall", "-q", "-s", str(root), "-p", _TASK),
            # never compared with the source's time, which is none of the file's
            *("--invalidation-mode", "unchecked-hash", str(root)),
        ],
        # a set of constants is written in the order of its hashes
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
    )
    return True


if __name__ == "__main__":
    main()
