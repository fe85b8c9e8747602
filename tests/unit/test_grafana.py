"""Panels and alerts name metrics that there are, and every alert has its line in the runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from minequeue.chain.ledger import RedisClient
from tests.ledgers import make_ledger
from tests.web_clients import make_client

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "compose" / "grafana"
RULES: list[dict[str, Any]] = yaml.safe_load((GRAFANA / "rules/minequeue.yml").read_text())[
    "groups"
][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards/minequeue.json").read_text())
PANELS = [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]
# of labels that an idle node has no value for, and of what fakeredis does not tell
ABSENT = {
    "minequeue_requests_refused_total",
    "minequeue_hash_rate_hashes_per_second",
    "minequeue_server_log_written",
    "minequeue_server_memory_bytes",
    "minequeue_server_memory_limit_bytes",
}


@pytest.fixture
def metrics(redis_client: RedisClient) -> set[str]:
    text = make_client(make_ledger(redis_client)).get("/metrics").text
    families = text_string_to_metric_families(text)
    return {sample.name for family in families for sample in family.samples} | ABSENT


def _names(expression: str) -> set[str]:
    return set(re.findall(r"minequeue_\w+", expression))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_that_there_are(metrics: set[str], rule: dict[str, Any]) -> None:
    assert _names(rule["expr"])
    assert _names(rule["expr"]) <= metrics


@pytest.mark.parametrize(("title", "expression"), PANELS)
def test_a_panel_names_metrics_that_there_are(
    metrics: set[str], title: str, expression: str
) -> None:
    assert _names(expression), title
    assert _names(expression) <= metrics


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_has_a_line_in_the_runbook(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    text = (ROOT / page).read_text()
    assert f"## {anchor.capitalize()}" in text
    assert f"| {rule['alert']} |" in text


def test_every_panel_asks_the_data_source_that_is_provisioned() -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    uids = {source["uid"] for source in provisioned["datasources"]}
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} <= uids
