"""Connections of clients: files bound their number, and one timeout ends those that are idle."""

import re
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.decode import cfn_yaml

from minequeue.compose.config.settings import Settings
from minequeue.compose.stack.connections import (
    IDLE_TIMEOUT_S,
    MAX_CONNECTIONS,
    MIN_CONNECTIONS,
    calculate_max_connections,
    raise_file_limit,
)
from minequeue.web.http.waiting import MAX_WAIT_S

COMPOSE = Path(__file__).parents[2] / "compose"
AMAZON = COMPOSE / "aws" / "service-stack.yaml"
# what balancers and ingresses call the time after which they close an idle connection
IDLE = re.compile(r"idle|keep.?alive", re.IGNORECASE)


@pytest.mark.parametrize(
    ("files", "threads", "expected"),
    [
        (1_048_576, 32, MAX_CONNECTIONS),
        (MAX_CONNECTIONS + 64 + 2 * 32, 32, MAX_CONNECTIONS),
        (MAX_CONNECTIONS + 64 + 2 * 32 - 1, 32, MAX_CONNECTIONS - 1),
        (1024, 32, 1024 - 64 - 64),
        (256, 8, 256 - 64 - 16),
        (64, 32, MIN_CONNECTIONS),
    ],
)
def test_connections_leave_files_for_the_process_itself(
    files: int, threads: int, expected: int
) -> None:
    assert calculate_max_connections(files, threads) == expected


@pytest.mark.parametrize(
    ("limits", "expected"), [((256, 20_000), 20_000), ((256, resource.RLIM_INFINITY), 10_240)]
)
def test_as_many_files_may_be_open_as_the_system_lets(
    limits: tuple[int, int], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {resource.RLIMIT_NOFILE: limits}
    monkeypatch.setattr(resource, "getrlimit", held.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", held.__setitem__)
    assert raise_file_limit() == expected
    assert held == {resource.RLIMIT_NOFILE: (expected, limits[1])}


def _idle_timeouts(given: Any) -> Iterator[float]:
    """Each timeout of idle connections in a manifest or template, in seconds."""
    if isinstance(given, list):
        for value in given:
            yield from _idle_timeouts(value)
    if isinstance(given, dict):
        pairs = [*given.items(), (given.get("Key"), given.get("Value"))]
        for name, value in pairs:
            if IDLE.search(str(name)) and re.fullmatch(r"[0-9]+s?", str(value)):
                yield float(str(value).rstrip("s"))
            yield from _idle_timeouts(value)


def _manifests() -> list[Any]:
    templates = [cfn_yaml.load(str(path)) for path in sorted(COMPOSE.rglob("*-stack.yaml"))]
    others = [
        made
        for path in sorted(COMPOSE.rglob("*.y*ml"))
        if not path.name.endswith("-stack.yaml")
        for made in yaml.safe_load_all(path.read_text())
    ]
    return [*templates, *others]


def test_whatever_stands_before_the_web_tier_closes_idle_connections_before_it_does() -> None:
    found = list(_idle_timeouts(_manifests()))
    assert found == [75.0]
    assert max(found) < IDLE_TIMEOUT_S
    assert min(found) > MAX_WAIT_S  # an answer that is held back is silence to a balancer


def test_every_balancer_says_when_it_closes_idle_connections() -> None:
    resources = cfn_yaml.load(str(AMAZON))["Resources"].values()
    balancers = [r for r in resources if r["Type"] == "AWS::ElasticLoadBalancingV2::LoadBalancer"]
    assert balancers
    for balancer in balancers:
        assert list(_idle_timeouts(balancer)) == [75.0]


def test_the_documents_tell_the_timeout() -> None:
    page = (COMPOSE.parent / "docs" / "security.md").read_text()
    assert f"{IDLE_TIMEOUT_S} s" in page
    assert Settings.from_environment({}).web_threads == 32  # which the figures there are for
