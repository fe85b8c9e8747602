"""The lock file: the versions that the checks ran with, and that image and venv are made of."""

from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINS = [
    Requirement(line)
    for line in (Path(__file__).parents[2] / "constraints.txt").read_text().splitlines()
]


def test_each_line_names_one_version() -> None:
    for pin in PINS:
        (clause,) = pin.specifier
        assert clause.operator == "==", pin


def test_all_that_is_depended_on_has_a_version_that_is_allowed() -> None:
    for needed in map(Requirement, requires("minequeue") or ()):
        name = canonicalize_name(needed.name)
        pins = [pin for pin in PINS if canonicalize_name(pin.name) == name]
        assert pins, f"{name}: make lock"
        for pin in pins:
            (clause,) = pin.specifier
            assert needed.specifier.contains(clause.version, prereleases=True), pin
