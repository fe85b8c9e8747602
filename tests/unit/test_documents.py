"""What the documents list for readers is what there is: routes, commands, metrics, members."""

import re
from pathlib import Path

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from minequeue.compose.cli.main import cli
from minequeue.web.replies.schemas import QueueState
from tests.unit.test_grafana import ABSENT

ROOT = Path(__file__).parents[2]
API = (ROOT / "docs" / "api.md").read_text("utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
# files that pages load
_OF_PAGES = {"/assets/<>", "/docs/<>"}


def _read_table(document: str, head: str) -> str:
    """The rows of the first table whose head begins so."""
    found = re.search(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", document, re.MULTILINE)
    assert found, head
    return found[1]


def _first_cells(table: str) -> str:
    return "\n".join(row.split(" | ")[0] for row in table.splitlines())


def test_the_page_of_requests_lists_every_route(client: FlaskClient) -> None:
    cells = _first_cells(_read_table(API, "request"))
    listed = {
        re.sub("<[^>]*>", "<>", path) for path in re.findall(r"`(?:[A-Z]+ )?(/[^`?]*)[^`]*`", cells)
    }
    rules = client.application.url_map.iter_rules()
    served = {re.sub("<[^>]*>", "<>", rule.rule) for rule in rules}
    assert listed == served - _OF_PAGES


def test_the_page_of_commands_lists_every_command() -> None:
    cells = _first_cells(_read_table(COMMANDS, "command"))
    words = re.findall(r"`(?:minequeue )?([\w-]+)[^`]*`", cells)
    assert set(cli.commands) <= set(words)


def test_the_operators_page_lists_every_metric_and_no_other(client: FlaskClient) -> None:
    table = _read_table(OPERATIONS, "question")
    listed = set(re.findall(r"minequeue_\w+", table))
    listed |= {f"minequeue{name}" for name in re.findall(r"`(_\w+)`", table)}
    families = text_string_to_metric_families(client.get("/metrics").text)
    told = {f"{f.name}_total" if f.type == "counter" else f.name for f in families}
    assert listed == told | ABSENT


def test_the_operators_page_lists_every_member_of_the_queue() -> None:
    cells = _first_cells(_read_table(OPERATIONS, "member"))
    assert set(re.findall(r"\w+", cells)) == set(QueueState.__struct_fields__)
