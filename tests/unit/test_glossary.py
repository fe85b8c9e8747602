"""The glossary and the public names use the same words."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from minequeue.compose.cli.main import cli
from minequeue.compose.config.settings import Settings
from minequeue.web.aws.embedded_metrics import UNITS

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
PARTS = ("chain", "web", "workers", "compose", "docs")


def _read_column(head: str) -> list[str]:
    """The first cells of the table whose first head is that."""
    found = re.search(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", GLOSSARY, re.MULTILINE)
    assert found, head
    return [row.split(" | ")[0].removeprefix("| ") for row in found[1].splitlines()]


def _split(name: str) -> list[str]:
    """The words of a name, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z0-9]+", spaced.lower())


TERMS = [
    re.sub(r" \(.*\)", "", term)
    for cell in _read_column("word")
    for term in re.split(r", (?![^(]*\))", cell)
]
# a word in backquotes is old as a whole name, any other as a part of a name
OLD_NAMES = {name for cell in _read_column("old") for name in re.findall("`([^`]+)`", cell)}
OLD_WORDS = {word for cell in _read_column("old") if "`" not in cell for word in cell.split(", ")}


def _list_members(schema: Any) -> Iterator[str]:
    """The names of all members and parameters of an OpenAPI document."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        if "in" in schema and "schema" in schema:
            yield schema["name"]
        for inner in schema.values():
            yield from _list_members(inner)
    if isinstance(schema, list):
        for inner in schema:
            yield from _list_members(inner)


def _list_commands(command: click.Command) -> Iterator[str]:
    """The names of a command and of all below it, and of their options."""
    yield command.name or ""
    for parameter in command.params:
        yield from (option.lstrip("-") for option in parameter.opts)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _list_commands(inner)


def _list_public_names(client: FlaskClient) -> set[str]:
    document = client.get("/openapi.json").get_json()
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        *_list_members(document),
        *document["components"]["schemas"],
        *(setting.name for setting in fields(Settings)),
        *(family.name for family in families),
        *UNITS,
        *_list_commands(cli),
    }


def test_the_names_are_found(client: FlaskClient) -> None:
    found = _list_public_names(client)
    expected = {"miners_wanted", "idempotency-key", "target_drain_time", "minequeue_miners"}
    assert expected | {"Miners", "burst", "miners"} <= found | {name.lower() for name in found}


def test_no_public_name_uses_an_old_word(client: FlaskClient) -> None:
    names = _list_public_names(client)
    assert names & OLD_NAMES == set()
    prefixed = {name for name in names if name.removeprefix("minequeue_") in OLD_NAMES}
    assert prefixed == set()
    wrong = {
        name for name in names if OLD_WORDS & {part.removesuffix("s") for part in _split(name)}
    }
    assert wrong == set()


def test_no_word_is_both_old_and_in_use() -> None:
    assert {*TERMS} & (OLD_WORDS | OLD_NAMES) == set()


@pytest.fixture(scope="module")
def everything() -> str:
    """All that code and documents say, in lower case and one space between words."""
    files = [
        file
        for part in PARTS
        for kind in ("*.py", "*.lua", "*.md", "*.html")
        for file in (ROOT / part).rglob(kind)
        if file.name != "glossary.md"
    ]
    text = " ".join(file.read_text("utf-8") for file in files)
    return " ".join(re.split(r"[\s_-]+", text.lower()))


@pytest.mark.parametrize("term", TERMS)
def test_each_word_of_the_glossary_is_used(everything: str, term: str) -> None:
    spaced = re.escape(" ".join(re.split(r"[\s_-]+", term.lower())))
    assert re.search(rf"\b{spaced}(s|es)?\b", everything)
