"""The manifests: built by kubectl, taken by Kubernetes' schemas, and run, but for the cluster."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import redis
from kubernetes_validate.utils import all_versions

from minequeue.compose.config.embedded import find_server
from minequeue.compose.config.settings import Settings
from tests.acceptance.pods import Pod
from tests.http import post, request
from tests.manifests import (
    KUBERNETES,
    Object,
    container,
    documented_secrets,
    environment,
    find,
    is_custom,
    parse,
    pods,
    probes,
)
from tests.stack import free_port
from tests.waiting import wait_for

KUBECTL = shutil.which("kubectl")
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
SCHEMAS = Path(__file__).parents[1] / "schemas"
VERSIONS = list(dict.fromkeys(all_versions()))[-3:]
FLOWER_PORT = "MINEQUEUE_FLOWER_PORT"
_LENGTH = "return redis.call('LLEN', KEYS[1])"
IDLE = {"wanted": 0, "backlog": 0, "age": 0}
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"),
    reason="only root on Linux may make a root file system that cannot be written",
)


@cache
def build(overlay: str) -> tuple[list[Object], str]:
    """The objects of an overlay, and what kubectl warned of."""
    assert KUBECTL
    path = KUBERNETES / "overlays" / overlay
    done = subprocess.run(
        [KUBECTL, "kustomize", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return parse(done.stdout), done.stderr


def _built(overlay: str) -> list[Object]:
    return build(overlay)[0]


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubectl_builds_an_overlay_and_warns_of_nothing(overlay: str) -> None:
    made, warnings = build(overlay)
    assert warnings == ""
    assert set(pods(made)) == {"web", "worker", "resolver", "flower", "valkey"}
    assert {o["metadata"].get("namespace") for o in made if o["kind"] != "Namespace"} == {
        "minequeue"
    }


@needs_kubectl
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_takes_every_object_of_its_own(overlay: str, version: str) -> None:
    own = [made for made in _built(overlay) if not is_custom(made)]
    assert len(own) > 15
    for made in own:
        kubernetes_validate.validate(made, version, strict=True)


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_custom_object_has_the_fields_that_its_documentation_names(overlay: str) -> None:
    custom = [made for made in _built(overlay) if is_custom(made)]
    assert custom
    for made in custom:
        schema = json.loads((SCHEMAS / f"{made['kind'].lower()}.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(made)


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_fits_the_restricted_pod_security_standard(overlay: str) -> None:
    made = _built(overlay)
    labels = find(made, "Namespace", "minequeue")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods(made).items():
        [one] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }, name
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "initContainers"}, name
        kinds = {key for volume in pod["volumes"] for key in volume} - {"name"}
        assert kinds <= {"emptyDir", "configMap", "secret"}, name
        for amount in ("requests", "limits"):
            assert one["resources"][amount].keys() == {"cpu", "memory"}, name
        assert {"startupProbe", "livenessProbe"} <= one.keys(), name
        assert list(probes(one))


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_name_that_an_object_uses_is_another_objects(overlay: str) -> None:
    made = _built(overlay)
    maps = {o["metadata"]["name"] for o in made if o["kind"] == "ConfigMap"}
    text = json.dumps(pods(made))
    used = re.findall(r'"configMap(?:Ref)?": {"name": "([^"]+)"', text)
    assert set(used) == maps
    for scaler, kind in (("web", "HorizontalPodAutoscaler"), ("worker", "ScaledObject")):
        target = find(made, kind, scaler)["spec"]["scaleTargetRef"]["name"]
        assert "replicas" not in find(made, "Deployment", target)["spec"]
    selected = re.findall(r'"app.kubernetes.io/component": "(\w+)"', json.dumps(made))
    assert set(selected) == set(pods(made))


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_parts_count_on_as_many_miners_as_there_may_be_pods(overlay: str) -> None:
    made = _built(overlay)
    spec = find(made, "ScaledObject", "worker")["spec"]
    for name in ("web", "worker"):
        settings = Settings.from_environment(_variables(made, name))
        assert settings.fleet == (spec["minReplicaCount"], spec["maxReplicaCount"])
    assert spec["fallback"]["replicas"] <= spec["maxReplicaCount"]


def _variables(made: list[Object], name: str) -> dict[str, str]:
    """The variables of a workload, but for tokens, of which the page has none to show."""
    found = environment(made, name, documented_secrets())
    return {key: value for key, value in found.items() if "TOKEN" not in key}


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_web_is_reached_and_only_the_resolver_reaches_out(overlay: str) -> None:
    policies = [o for o in _built(overlay) if o["kind"] == "NetworkPolicy"]
    nobody = find(policies, "NetworkPolicy", "nobody")["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for policy in policies:
        spec = policy["spec"]
        whom = spec["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/component")
        for rule in spec.get("ingress", []):
            assert rule["ports"]
            assert whom == "web" or rule["from"], policy["metadata"]["name"]
        for rule in spec.get("egress", []):
            assert rule["ports"]
            outside = [peer for peer in rule["to"] if "ipBlock" in peer]
            assert whom == "resolver" or not outside, policy["metadata"]["name"]


@needs_kubectl
def test_the_resolver_may_call_those_whom_its_network_lets_it_reach() -> None:
    made = _built("production")
    rules = find(made, "NetworkPolicy", "resolver-reaches-peers")["spec"]["egress"]
    reached = {ip_network(peer["ipBlock"]["cidr"]) for rule in rules for peer in rule["to"]}
    allowed = _variables(made, "resolver")["MINEQUEUE_PEER_ALLOW"].split(",")
    assert {ip_network(word) for word in allowed} == reached


@needs_kubectl
def test_production_is_open_to_nobody_without_a_token() -> None:
    made = _built("production")
    assert "MINEQUEUE_TOKENS" in environment(made, "web", documented_secrets())
    assert "MINEQUEUE_TOKEN" in environment(made, "resolver", documented_secrets())
    assert not Settings.from_environment(_variables(made, "web")).open_to_all
    minikube = Settings.from_environment(_variables(_built("minikube"), "web"))
    assert minikube.open_to_all


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """The port of a server with valkey's configuration, and the page's rights."""
    acl = tmp_path / "users.acl"
    acl.write_text(documented_secrets()["ledger"]["users.acl"])
    data = tmp_path / "data"
    data.mkdir()
    port = free_port()
    text = (KUBERNETES / "base/valkey.conf").read_text()
    own = {"port": port, "bind": "127.0.0.1", "dir": data, "aclfile": acl}
    for name, value in own.items():
        text, count = re.subn(rf"^{name} .*$", f"{name} {value}", text, flags=re.MULTILINE)
        assert count == 1, name
    configuration = tmp_path / "valkey.conf"
    configuration.write_text(text)
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [find_server(""), str(configuration)], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        with redis.Redis(port=port, username="probe", password="any") as probe:
            wait_for(lambda: _pings(probe), "the server's start", 10)
        yield port
    finally:
        process.kill()
        process.wait()


def _pings(probe: "redis.Redis") -> bool:
    try:
        return bool(probe.ping())
    except redis.ConnectionError:
        return False


@needs_kubectl
def test_whoever_has_no_password_may_ping_the_server_and_nothing_else(server: int) -> None:
    with redis.Redis(port=server) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    with redis.Redis(port=server, username="probe", password="any") as probe:
        assert probe.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            probe.get("x")


@needs_kubectl
def test_the_servers_own_probes_succeed(server: int) -> None:
    found = shutil.which("valkey-cli") or shutil.which("redis-cli")
    if found is None:
        pytest.skip("the server's probes are NOT tested: neither valkey-cli nor redis-cli is here")
    [container] = find(_built("minikube"), "StatefulSet", "valkey")["spec"]["template"]["spec"][
        "containers"
    ]
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        name, *words = container[kind]["exec"]["command"]
        assert name == "valkey-cli"
        probe = subprocess.run([found, "-p", str(server), *words], capture_output=True, check=False)
        assert (probe.returncode, probe.stdout) == (0, b"PONG\n"), probe


@needs_kubectl
def test_what_keda_is_given_lets_it_read_the_lists(server: int) -> None:
    made = _built("minikube-lists")
    asked = find(made, "TriggerAuthentication", "ledger")["spec"]["secretTargetRef"]
    known = {one["parameter"]: documented_secrets()[one["name"]][one["key"]] for one in asked}
    with redis.Redis(port=server, **known) as keda:
        for trigger in find(made, "ScaledObject", "worker")["spec"]["triggers"]:
            assert trigger["authenticationRef"]["name"] == "ledger"
            # a script, as KEDA's scaler does it
            assert keda.eval(_LENGTH, 1, trigger["metadata"]["listName"]) == 0


class Cluster:
    """The pods of an overlay, on this machine's loopback.

    Args:
        made: the overlay's objects.
        server: the port of the server.
        directory: for the pods' volumes.
        started: ends what was started.
    """

    def __init__(
        self, made: list[Object], server: int, directory: Path, started: ExitStack
    ) -> None:
        self.made = made
        self._directory = directory
        self._started = started
        self._secrets = documented_secrets()
        url = self._secrets["ledger"]["url"]
        self._secrets["ledger"]["url"] = url.replace("valkey:6379", f"127.0.0.1:{server}")
        self._ports = {name: str(free_port()) for name in ("MINEQUEUE_PORT", FLOWER_PORT)}
        self.url = f"http://127.0.0.1:{self._ports['MINEQUEUE_PORT']}"

    def start(self, name: str) -> Pod:
        variables = environment(self.made, name, self._secrets) | self._ports
        # the test's own: it does not wait for a minute, and nobody else is to reach it
        variables["MINEQUEUE_QUIET_TIME"] = "1"
        if name == "web":
            assert variables["MINEQUEUE_HOST"] == "0.0.0.0"
            variables["MINEQUEUE_HOST"] = "127.0.0.1"
        tmp = self._directory / name
        tmp.mkdir()
        pod = Pod(pods(self.made)[name], variables, tmp)
        self._started.callback(pod.kill)
        return pod.start()

    def is_alive(self, pod: Pod) -> bool:
        """Whether its liveness probe, which is a command, succeeds."""
        command = pod.container["livenessProbe"]["exec"]["command"]
        here = [word.replace(":5555", f":{self._ports[FLOWER_PORT]}") for word in command]
        return pod.run(here).returncode == 0

    def is_ready(self) -> bool:
        path = container(self.made, "web")["readinessProbe"]["httpGet"]["path"]
        return request("GET", self.url + path).status == 200

    def read_triggers(self) -> dict[str, Any]:
        """What KEDA would read, by the trigger's name."""
        queue = request("GET", f"{self.url}/queue").json()
        triggers = find(self.made, "ScaledObject", "worker")["spec"]["triggers"]
        return {one["name"]: queue[one["metadata"]["valueLocation"]] for one in triggers}


@pytest.fixture
def cluster(server: int, tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as started:
        yield Cluster(_built("minikube"), server, tmp_path, started)


@needs_kubectl
@needs_namespaces
def test_the_pods_run_as_written_from_no_worker_to_a_drained_queue(cluster: Cluster) -> None:
    web = cluster.start("web")
    wait_for(cluster.is_ready, "web", 30)
    assert web.run(["touch", "/usr/x"]).stderr.endswith("Read-only file system\n")
    assert web.run(["id", "-u"]).stdout == "10001\n"
    assert cluster.read_triggers() == IDLE

    receipt = post(cluster.url, {"sender": "a", "recipient": "b", "amount": 1})
    assert receipt.status == 202, receipt
    for _ in range(5):
        assert request("POST", f"{cluster.url}/chain/mine", b"").status == 202
    found = cluster.read_triggers()
    assert found["wanted"] >= 1
    assert found["backlog"] == 6
    assert found["age"] > 0

    worker = cluster.start("worker")
    wait_for(lambda: cluster.is_alive(worker), "the worker's probe", 30)
    wait_for(lambda: cluster.read_triggers() == IDLE, "draining", 30)
    assert worker.stop() == 0, worker.said()
    assert web.stop() in {0, -signal.SIGTERM}, web.said()


@needs_kubectl
@needs_namespaces
@pytest.mark.parametrize("name", ["resolver", "flower"])
def test_a_pod_that_nobody_reaches_runs_as_written(cluster: Cluster, name: str) -> None:
    pod = cluster.start(name)
    wait_for(lambda: cluster.is_alive(pod), f"the probe of {name}", 30)
    assert pod.stop() in {0, -signal.SIGTERM}, pod.said()
