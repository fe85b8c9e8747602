"""What `make dist` and `make sbom` make: all that is needed is in it, and it runs on its own."""

import configparser
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from email.message import Message
from email.parser import Parser
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.release import CHECKOUT
from tests.release.check import PYTHONS, find_distributions
from tests.release.environment import Environment, InstalledStack
from tests.release.sbom import VENDORED, describe, write
from tests.release.use import PAGES, use

PACKAGES = ("chain", "compose", "web", "workers")
OF_THE_CHECKOUT = {"minequeue/compose/aws/build_zip.py"}  # `make lambda` runs it there


def _files(folders: Iterable[str]) -> set[str]:
    return {
        path.relative_to(CHECKOUT).as_posix()
        for folder in folders
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def _files_of_the_package() -> set[str]:
    """As they are installed: what its links lead to is inside."""
    return _files(["minequeue"]) | {f"minequeue/{name}" for name in _files(PACKAGES)}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel and the source distribution."""
    directory = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(directory), str(CHECKOUT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return find_distributions(directory)


@pytest.fixture(scope="module")
def environment(distributions: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("release") / "e", sys.executable, distributions[0])


@pytest.fixture(scope="module")
def metadata(distributions: list[Path]) -> Message:
    with zipfile.ZipFile(distributions[0]) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
        return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(
    distributions: list[Path],
) -> None:
    with zipfile.ZipFile(distributions[0]) as wheel:
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == _files_of_the_package() - OF_THE_CHECKOUT


def test_the_source_distribution_holds_its_tests_and_documents_too(
    distributions: list[Path],
) -> None:
    with tarfile.open(distributions[1]) as archive:
        names = {member.name for member in archive.getmembers() if member.isfile()}
    inside = {name.partition("/")[2] for name in names}
    assert _files_of_the_package() | _files(("tests", "docs", ".ci")) <= inside
    assert {"Makefile", "README.md", "LICENSE", "CONTRIBUTING.md", "setup.cfg"} <= inside


def test_licences_of_vendored_parts_are_where_installers_look(
    distributions: list[Path], metadata: Message
) -> None:
    vendored = {path.name for path in (CHECKOUT / "web/vendor").iterdir()}
    assert vendored == set(VENDORED)
    listed = set(metadata.get_all("License-File", []))
    assert {"LICENSE"} | {f"web/vendor/{name}/LICENSE" for name in vendored} <= listed
    with zipfile.ZipFile(distributions[0]) as wheel:
        kept = {name.partition("/licenses/")[2] for name in wheel.namelist()}
        assert listed <= kept
    for _, licence in VENDORED.values():
        assert licence in metadata["License-Expression"]


def test_the_version_has_one_place_and_the_image_follows_it(metadata: Message) -> None:
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    version = setup["metadata"]["version"]
    assert metadata["Version"] == version
    overlay = CHECKOUT / "compose/kubernetes/overlays/production/kustomization.yaml"
    assert yaml.safe_load(overlay.read_text())["images"][0]["newTag"] == version


def test_the_oldest_python_that_is_checked_is_the_oldest_that_is_supported(
    metadata: Message,
) -> None:
    assert metadata["Requires-Python"] == f">={PYTHONS[0]}"


def test_what_is_installed_runs_among_packages_of_the_same_names(
    environment: Environment, tmp_path: Path
) -> None:
    seen = list(use(InstalledStack(environment, tmp_path)))
    assert len([line for line in seen if line.startswith("GET ")]) == len(PAGES)
    assert any(re.fullmatch(r"transaction \w+\.\.\. is in block \d+", line) for line in seen)
    # the transaction may be in a block of its own before the mine request gets its
    assert any(
        re.fullmatch(r"check: valid: [23] blocks, 1 transactions, each once", line) for line in seen
    )


def test_the_bill_of_materials_names_every_dependency_with_version_and_licence(
    environment: Environment, tmp_path: Path
) -> None:
    output = tmp_path / "sbom.json"
    write(describe(environment), output)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(output.read_text()) is None
    bom = json.loads(output.read_text())
    ours = bom["metadata"]["component"]
    assert ours["name"] == "minequeue"
    listed = {canonicalize_name(part["name"]): part for part in bom["components"]}
    (edges,) = [node for node in bom["dependencies"] if node["ref"] == ours["bom-ref"]]
    needed = [Requirement(text) for text in requires("minequeue") or ()]
    direct = {
        canonicalize_name(requirement.name)
        for requirement in needed
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert len(direct) > 10
    for name in direct:
        installed = environment.ask(
            f"from importlib.metadata import version as v;print(v('{name}'))"
        )
        assert listed[name]["version"] == installed
        assert listed[name]["licenses"], name
        assert listed[name]["bom-ref"] in edges["dependsOn"]
    assert {(part["name"], part["version"]) for part in ours["components"]} == {
        ("swagger-ui-dist", (CHECKOUT / "web/vendor/swagger-ui/VERSION").read_text().strip()[1:])
    }
    assert str(tmp_path.parents[1]) not in output.read_text()
