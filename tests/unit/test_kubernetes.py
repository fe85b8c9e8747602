"""The manifests name what there is: settings, ports, paths, members, lists, bounds on time."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from minequeue.chain.ledger import RedisClient
from minequeue.chain.ledger.keys import Keys
from minequeue.compose.cli.main import cli
from minequeue.compose.config.settings import Settings, variable
from minequeue.compose.stack import processes
from minequeue.workers.runtime import watchdog
from tests.ledgers import make_ledger
from tests.manifests import (
    KUBERNETES,
    PAGE,
    ROOT,
    Object,
    container,
    documented_secrets,
    find,
    is_custom,
    kustomizations,
    literals,
    parse,
    pods,
    probes,
    written,
)
from tests.server_options import kept_options
from tests.web_clients import make_client

WRITTEN = written()
PODS = pods(WRITTEN)
OURS = [name for name, pod in PODS.items() if pod["containers"][0]["image"] == "minequeue:latest"]
MONITOR = find(WRITTEN, "ServiceMonitor", "web")["spec"]["endpoints"][0]
TRIGGERS = find(WRITTEN, "ScaledObject", "worker")["spec"]["triggers"]
LISTS = parse((KUBERNETES / "components/lists/scaled-object.yaml").read_text())[0][0]["value"]
SCHEMAS = Path(__file__).parents[1] / "schemas"


def _given(name: str) -> dict[str, str]:
    """What the container of the workload sets by itself."""
    return {e["name"]: e.get("value", "") for e in container(WRITTEN, name).get("env", [])}


def test_every_part_but_the_supervisor_has_a_workload() -> None:
    assert set(PODS) == {"web", "worker", "resolver", "flower", "valkey"}
    assert set(OURS) == set(PODS) - {"valkey"}


@pytest.mark.parametrize("name", OURS)
def test_a_pod_runs_a_command_that_there_is(name: str) -> None:
    one = container(WRITTEN, name)
    assert (one["command"], one["args"]) == (["minequeue"], [name])
    assert name in cli.commands
    for probe in probes(one):
        if probe.get("exec", {}).get("command", [""])[0] == "minequeue":
            assert probe["exec"]["command"] == ["minequeue", name, "--check"]
            assert "check" in {option.name for option in cli.commands[name].params}


@pytest.mark.parametrize("name", OURS)
def test_a_pod_sets_variables_that_are_settings(name: str) -> None:
    base = literals(kustomizations()["base"])
    given = {key: value for key, value in _given(name).items() if value}
    assert set(_given(name)) <= set(map(variable, Settings.__dataclass_fields__))
    Settings.from_environment(base | given)  # refuses a bad value


@pytest.mark.parametrize(
    "name", [name for name, made in kustomizations().items() if literals(made)]
)
def test_an_overlay_sets_variables_that_are_settings(name: str) -> None:
    found = literals(kustomizations()[name])
    # what is written there is what the parts will read: nothing is left out, and nothing refused
    assert found.keys() <= Settings.from_environment(found).as_environment().keys()


@pytest.mark.parametrize(
    "name", [name for name, made in kustomizations().items() if "MINEQUEUE_HOSTS" in literals(made)]
)
def test_a_node_knows_every_name_by_which_the_manifests_ask_it(name: str) -> None:
    hosts = Settings.from_environment(literals(kustomizations()[name])).hosts
    namespace = find(WRITTEN, "Namespace", "minequeue")["metadata"]["name"]
    service = find(WRITTEN, "Service", "web")["metadata"]["name"]
    # as the cluster's own names of it go, from the shortest on
    parts = [service, namespace, "svc", "cluster.local"]
    assert {".".join(parts[:count]) for count in range(1, 5)} <= set(hosts)
    asked = {urlsplit(trigger["metadata"]["url"]).hostname for trigger in TRIGGERS}
    [target] = [r["replacement"] for r in MONITOR["relabelings"] if "replacement" in r]
    assert {*asked, target.partition(":")[0]} <= set(hosts)
    if "ingress.yaml" in kustomizations()[name]["resources"]:
        rules = find(WRITTEN, "Ingress", "web")["spec"]["rules"]
        assert {rule["host"] for rule in rules} <= set(hosts)


def test_the_ports_are_those_that_the_parts_listen_on() -> None:
    settings = Settings.from_environment({})
    [port] = container(WRITTEN, "web")["ports"]
    [service] = find(WRITTEN, "Service", "web")["spec"]["ports"]
    assert (port["containerPort"], service["port"]) == (settings.port, settings.port)
    assert service["targetPort"] == port["name"] == MONITOR["port"]
    for probe in probes(container(WRITTEN, "flower")):
        assert f"127.0.0.1:{settings.flower_port}/" in probe["exec"]["command"][-1]
    assert "MINEQUEUE_HOST" not in _given("flower")


def test_the_servers_port_is_the_same_everywhere() -> None:
    url = urlsplit(documented_secrets()["ledger"]["url"])
    [port] = container(WRITTEN, "valkey")["ports"]
    [service] = find(WRITTEN, "Service", "valkey")["spec"]["ports"]
    assert f"port {url.port}\n" in (KUBERNETES / "base/valkey.conf").read_text()
    assert (port["containerPort"], service["port"]) == (url.port, url.port)
    assert url.hostname == "valkey"
    assert {trigger["metadata"]["address"] for trigger in LISTS} == {
        f"valkey.minequeue.svc:{url.port}"
    }


def test_probes_and_monitors_ask_for_paths_that_there_are(redis_client: RedisClient) -> None:
    client = make_client(make_ledger(redis_client))
    asked = [probe["httpGet"]["path"] for probe in probes(container(WRITTEN, "web"))]
    assert set(asked) == {"/health/live", "/health/ready"}
    for path in [*asked, MONITOR["path"]]:
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger["name"])
def test_keda_reads_a_member_of_the_queue_that_is_always_a_number(
    redis_client: RedisClient, trigger: Any
) -> None:
    url = urlsplit(trigger["metadata"]["url"])
    namespace = find(WRITTEN, "Namespace", "minequeue")["metadata"]["name"]
    assert url.netloc == f"web.{namespace}.svc:{Settings.from_environment({}).port}"
    idle: Any = make_client(make_ledger(redis_client)).get(url.path).json
    assert isinstance(idle[trigger["metadata"]["valueLocation"]], int | float)
    # 0 lets the last pod go
    assert idle[trigger["metadata"]["valueLocation"]] == 0


def test_one_wanted_miner_is_one_pod() -> None:
    [wanted] = [t for t in TRIGGERS if t["metadata"]["valueLocation"] == "miners_wanted"]
    least, most = Settings.from_environment(
        {"MINEQUEUE_MINERS": _given("worker")["MINEQUEUE_MINERS"]}
    ).miners
    assert least == most == int(wanted["metadata"]["targetValue"])
    assert wanted["metricType"] == "AverageValue"


def test_all_pods_work_before_the_queue_refuses() -> None:
    [backlog] = [t for t in TRIGGERS if t["metadata"]["valueLocation"] == "depth"]
    most = find(WRITTEN, "ScaledObject", "worker")["spec"]["maxReplicaCount"]
    bound = Settings.from_environment({}).max_pending[0]
    assert int(backlog["metadata"]["targetValue"]) * most < bound


def test_the_second_way_reads_the_lists_that_hold_the_queue() -> None:
    keys = Keys(Settings.from_environment({}).network)
    names = {trigger["metadata"]["listName"] for trigger in LISTS}
    assert names == {keys.pending, keys.mine_requests}


def test_the_server_keeps_what_the_embedded_one_keeps(tmp_path: Path) -> None:
    text = (KUBERNETES / "base/valkey.conf").read_text()
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line[:1] not in {"#", ""}]
    given = {name: value.strip('"') for name, value in lines}
    assert kept_options(tmp_path).items() <= given.items()
    [mount] = [m for m in container(WRITTEN, "valkey")["volumeMounts"] if m["name"] == "data"]
    assert mount["mountPath"] == given["dir"]
    assert given["maxmemory"] == "1gb"
    assert container(WRITTEN, "valkey")["resources"]["limits"]["memory"] == "2Gi"


def test_a_pod_gets_longer_to_stop_than_its_part_takes() -> None:
    web = PODS["web"]
    pause = container(WRITTEN, "web")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert web["terminationGracePeriodSeconds"] > pause + processes._STOP_S
    for name in ("worker", "resolver"):
        assert PODS[name]["terminationGracePeriodSeconds"] > watchdog.STOP_S
        # process 1 of a container cannot kill itself, as the watchdog does
        assert PODS[name]["shareProcessNamespace"] is True


@pytest.mark.parametrize("name", PODS)
def test_no_service_puts_variables_into_a_pod(name: str) -> None:
    assert PODS[name]["enableServiceLinks"] is False
    assert PODS[name]["automountServiceAccountToken"] is False


def test_what_is_written_to_is_a_volume() -> None:
    base = Settings.from_environment(literals(kustomizations()["base"]))
    for name in OURS:
        mounts = [mount["mountPath"] for mount in container(WRITTEN, name)["volumeMounts"]]
        assert mounts == ["/tmp"]
        assert base.data_dir.is_relative_to("/tmp")


def test_without_an_overlay_the_web_tier_refuses_to_start() -> None:
    base = Settings.from_environment(literals(kustomizations()["base"]))
    assert not base.open_to_all
    assert not base.tokens
    assert variable("tokens") not in _given("web")


@pytest.mark.parametrize("made", [*filter(is_custom, WRITTEN)], ids=lambda made: made["kind"])
def test_a_custom_object_has_the_fields_that_its_documentation_names(made: Object) -> None:
    schema = json.loads((SCHEMAS / f"{made['kind'].lower()}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(made)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("maxReplicas",), 4),
        (("fallback", "replicas"), "2"),
        (("fallback", "behaviour"), "static"),
        (("triggers", 0, "metadata", "targetValue"), 1),
        (("triggers", 0, "metadata", "valueLocations"), "depth"),
        (("triggers", 0, "metricType"), "Average"),
    ],
)
def test_a_scaled_object_with_a_wrong_field_does_not_pass(
    path: tuple[Any, ...], value: Any
) -> None:
    made = deepcopy(find(WRITTEN, "ScaledObject", "worker"))
    place = made["spec"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    schema = json.loads((SCHEMAS / "scaledobject.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(made)


def test_the_page_gives_the_servers_user_the_rights_that_are_enough() -> None:
    security = (ROOT / "docs/security.md").read_text()
    found = re.findall(r"^user \w+ (?:on|off) .*$", security, re.MULTILINE)
    assert len(found) == 2
    rights = documented_secrets("PASSWORD")["ledger"]["users.acl"]
    assert set(found) < set(rights.splitlines())


def test_the_page_makes_every_secret_that_is_asked_for() -> None:
    made = documented_secrets()
    asked = re.findall(r"name: (ledger|tokens)\n\s+key: (\S+)", _all_text())
    assert {name for name, _ in asked} == {"ledger", "tokens"}
    for name, key in asked:
        assert key in made[name], f"{name}: {key}"
    assert made["ledger"]["username"] == "minequeue"
    assert "users.acl" in made["ledger"]


def test_the_page_names_files_and_overlays_that_there_are() -> None:
    text = PAGE.read_text()
    overlays = set(re.findall(r"overlays/([\w-]+)", text))
    assert overlays == {path.name for path in (KUBERNETES / "overlays").iterdir()}
    for word in re.findall(r"MINEQUEUE_[A-Z_]+", text):
        assert word in map(variable, Settings.__dataclass_fields__), word


def _all_text() -> str:
    return "\n".join(path.read_text() for path in sorted(KUBERNETES.rglob("*.yaml")))
