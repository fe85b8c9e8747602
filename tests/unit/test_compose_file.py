"""The compose file and the Dockerfile name what there is: settings, ports, paths, parts."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from minequeue.chain.ledger import RedisClient
from minequeue.compose.cli.main import cli
from minequeue.compose.config.listening import check_listening, flower_host
from minequeue.compose.config.settings import Settings, variable
from minequeue.compose.stack import processes
from minequeue.workers.runtime import watchdog
from tests import manifests
from tests.compose_file import COMPOSE_FILE, FILE, OURS, ROOT, SERVICES, WATCHERS, Object
from tests.ledgers import make_ledger
from tests.server_options import kept_options, parse_options
from tests.web_clients import make_client

GRAFANA = ROOT / "compose" / "grafana"
DOCKERFILE = (ROOT / "compose" / "Dockerfile").read_text()
PAGE = (ROOT / "docs" / "containers.md").read_text()
_AS_PROBE = " --user probe --pass probe --no-auth-warning"
each_of_ours = pytest.mark.parametrize("name", OURS)


def _settings(name: str) -> Settings:
    """The settings of a part; a bad or unknown one is refused."""
    return Settings.from_environment(SERVICES[name]["environment"])


def _command(name: str) -> list[str]:
    """What the container runs: its own command, else the image's."""
    found = re.search(r"^CMD \[(.*)\]$", DOCKERFILE, re.MULTILINE)
    assert found
    command: list[str] = SERVICES[name].get("command") or yaml.safe_load(f"[{found[1]}]")
    return command


def _check(name: str) -> str:
    """What a health check asks."""
    kind, *words = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD"
    return " ".join(words)


def _seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text[:-1])


def _ports(name: str) -> dict[int, str]:
    """The published ports: the address of this machine, by the port of the container."""
    found = {}
    for port in SERVICES[name].get("ports", []):
        address, _, inner = port.rpartition(":")
        found[int(inner)] = address
    return found


def test_the_compose_specification_takes_the_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema"]
    done = subprocess.run(
        [*command, "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_part_but_the_supervisor_has_a_service() -> None:
    workloads = set(manifests.pods(manifests.written()))
    assert set(SERVICES) == workloads | WATCHERS
    assert set(OURS) == workloads - {"valkey"}


@each_of_ours
def test_a_container_runs_a_command_that_there_is(name: str) -> None:
    assert _command(name) == ["minequeue", name]
    assert name in cli.commands


@each_of_ours
def test_a_container_gets_variables_that_are_settings(name: str) -> None:
    assert _settings(name).redis_url
    assert SERVICES[name]["environment"].keys() <= set(map(variable, Settings.__dataclass_fields__))


@each_of_ours
def test_all_parts_are_told_the_same_but_for_what_is_their_own(name: str) -> None:
    own = {
        "host",
        "hosts",
        "open_to_all",
        "tokens",
        "miners",
        "token",
        "flower_auth",
    }
    for field in Settings.__dataclass_fields__.keys() - own:
        assert getattr(_settings(name), field) == getattr(_settings("web"), field), field


@each_of_ours
def test_a_container_has_no_rights_and_writes_to_memory_alone(name: str) -> None:
    one = SERVICES[name]
    assert one["user"] == "10001:10001"
    assert "USER 10001:10001" in DOCKERFILE
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges"]
    assert one["tmpfs"] == ["/tmp"]
    assert "volumes" not in one
    assert _settings(name).data_dir.is_relative_to("/tmp")
    # process 1 of a container cannot kill itself, as the watchdog does
    assert one["init"] is True


def test_the_image_alone_writes_where_the_containers_do() -> None:
    assert f"MINEQUEUE_DATA_DIR={_settings('web').data_dir}\n" in DOCKERFILE


def test_the_health_checks_ask_what_the_probes_of_kubernetes_ask() -> None:
    written = manifests.written()
    for name in (*OURS, "valkey"):
        asked = list(manifests.probes(manifests.container(written, name)))
        commands = {" ".join(one["exec"]["command"]) for one in asked if "exec" in one}
        paths = [one["httpGet"]["path"] for one in asked if "httpGet" in one]
        if commands:
            # only there is a list of users, which leaves a probe nothing else
            as_anybody = {one.replace(_AS_PROBE, "") for one in commands}
            assert {_check(name).replace("'", '"')} == as_anybody
        else:
            assert f"'http://127.0.0.1:3000{paths[1]}'" in _check(name)


def test_the_web_tiers_check_is_the_images_and_asks_whether_the_ledger_answers(
    redis_client: RedisClient,
) -> None:
    found = re.search(r"urlopen\('(.*?)'\)", _check("web"))
    assert found
    url = urlsplit(found[1])
    assert (url.hostname, url.port) == ("127.0.0.1", _settings("web").port)
    assert url.path == "/health/ready"
    assert make_client(make_ledger(redis_client)).get(url.path).status_code == 200
    assert _check("web").rpartition("-c ")[2] in DOCKERFILE


def test_only_loopback_reaches_a_port_and_it_is_one_that_the_part_listens_on() -> None:
    published = {name: _ports(name) for name in SERVICES}
    for ports in published.values():
        for address in ports.values():
            assert address.startswith("127.0.0.1:")
    settings = Settings.from_environment({})
    assert published["web"] == {settings.port: f"127.0.0.1:{settings.port}"}
    assert published["flower"] == {settings.flower_port: f"127.0.0.1:{settings.flower_port}"}
    assert {name for name, ports in published.items() if ports} == {"web", "flower", *WATCHERS}
    assert f"EXPOSE {settings.port}\n" in DOCKERFILE


def test_the_parts_listen_where_their_ports_lead() -> None:
    check_listening(_settings("web"))
    assert _settings("web").host == "0.0.0.0"
    # until there is a password nobody reaches Flower
    assert flower_host(_settings("flower")) == "127.0.0.1"
    given = SERVICES["flower"]["environment"] | {variable("flower_auth"): "user:password"}
    assert flower_host(Settings.from_environment(given)) == "0.0.0.0"


def test_the_servers_address_is_the_same_everywhere() -> None:
    server = SERVICES["valkey"]
    for name in OURS:
        url = urlsplit(_settings(name).redis_url)
        assert (url.hostname, url.port) == ("valkey", 6379)
        assert set(server["networks"]) <= set(SERVICES[name]["networks"])
    assert parse_options(server["command"])["port"] == "6379"


def test_the_server_is_told_what_the_embedded_one_is(tmp_path: Path) -> None:
    given, kept = parse_options(SERVICES["valkey"]["command"]), kept_options(tmp_path)
    assert kept.items() <= given.items()
    assert given.keys() - kept.keys() == {"port", "dir", "protected-mode", "maxmemory"}
    assert SERVICES["valkey"]["volumes"] == [f"ledger:{given['dir']}"]
    assert "ledger" in FILE["volumes"]


def test_the_server_is_that_of_kubernetes() -> None:
    other = manifests.container(manifests.written(), "valkey")["image"]
    assert SERVICES["valkey"]["image"] == other


def test_only_the_parts_reach_the_server_and_only_the_resolver_calls_others() -> None:
    assert FILE["networks"]["ledger"] == {"internal": True}
    inside = {name for name, one in SERVICES.items() if "ledger" in one["networks"]}
    assert inside == {*OURS, "valkey"}
    outside = {name for name, one in SERVICES.items() if "outside" in one["networks"]}
    # those that publish a port need a way in, which is one out
    assert outside == {name for name in SERVICES if _ports(name)} | {"resolver"}


def test_a_worker_has_one_miner_and_the_fleet_may_have_several() -> None:
    assert _settings("worker").miners == (1, 1)
    for name in OURS:
        assert _settings(name).fleet == (1, 4)


def test_a_container_gets_longer_to_stop_than_its_part_takes() -> None:
    assert _seconds(SERVICES["web"]["stop_grace_period"]) > processes._STOP_S
    for name in ("worker", "resolver"):
        assert _seconds(SERVICES[name]["stop_grace_period"]) > watchdog.STOP_S


def test_a_part_that_dies_is_started_again() -> None:
    assert {one["restart"] for one in SERVICES.values()} == {"unless-stopped"}


def _read(path: str) -> Any:
    return yaml.safe_load((GRAFANA / path).read_text())


def test_the_watchers_are_set_up_as_beside_a_stack_but_for_names_instead_of_loopback(
    redis_client: RedisClient,
) -> None:
    beside, within = _read("prometheus.yml"), _read("containers/prometheus.yml")
    [job] = within["scrape_configs"]
    [target] = job["static_configs"][0]["targets"]
    assert target == f"web:{_settings('web').port}"
    assert target.partition(":")[0] in _settings("web").hosts
    path = job.get("metrics_path", "/metrics")
    assert make_client(make_ledger(redis_client)).get(path).status_code == 200
    beside["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
    assert within == beside

    name = "datasources/prometheus.yml"
    beside, within = _read(f"provisioning/{name}"), _read(f"containers/{name}")
    url = urlsplit(within["datasources"][0]["url"])
    assert url.hostname == "prometheus"
    assert url.port in _ports("prometheus")
    beside["datasources"][0]["url"] = within["datasources"][0]["url"]
    assert within == beside


def _mounts(one: Object) -> dict[str, str]:
    """Where each path of the checkout is seen."""
    mounts = [mount.split(":") for mount in one["volumes"]]
    return {source: place for source, place, *_ in mounts if source.startswith(".")}


@pytest.mark.parametrize("name", WATCHERS)
def test_what_is_mounted_is_there_and_cannot_be_written(name: str) -> None:
    found = _mounts(SERVICES[name])
    assert found
    for source in found:
        assert (COMPOSE_FILE.parent / source).exists(), source
    assert all(m.endswith(":ro") for m in SERVICES[name]["volumes"] if m.startswith("."))


def test_what_is_mounted_is_where_the_watchers_look() -> None:
    rules = _read("containers/prometheus.yml")["rule_files"]
    for file in rules:
        folder, _, name = file.partition("/")
        assert _mounts(SERVICES["prometheus"])[f"./grafana/{folder}"] == f"/etc/prometheus/{folder}"
        assert (GRAFANA / folder / name).exists()
    [provider] = _read("provisioning/dashboards/minequeue.yml")["providers"]
    assert provider["options"]["path"] == _mounts(SERVICES["grafana"])["./grafana/dashboards"]


def test_the_image_is_made_of_what_the_package_is_made_of() -> None:
    kept = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    ]
    for name in kept:
        assert (ROOT / name).exists(), name
    packages = re.findall(r"^    (\w+)\*$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)
    assert packages
    linked = [each.name for each in (ROOT / "minequeue").iterdir() if each.is_symlink()]
    assert {*packages, *linked} <= set(kept)


def test_the_page_names_variables_that_the_file_reads() -> None:
    read = set(re.findall(r"\$\{(\w+):-", COMPOSE_FILE.read_text()))
    table = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert set(table) == read
    for word in re.findall(r"MINEQUEUE_[A-Z_]+", PAGE):
        assert word in map(variable, Settings.__dataclass_fields__), word
