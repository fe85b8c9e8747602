"""Kubernetes' objects for tests: as they are written, and what a pod of them is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
ROOT = Path(__file__).parents[1]
KUBERNETES = ROOT / "compose" / "kubernetes"
PAGE = ROOT / "docs" / "kubernetes.md"


def parse(text: str) -> list[Any]:
    return [made for made in yaml.safe_load_all(text) if made]


def kustomizations() -> dict[str, Object]:
    """Each kustomization, by the name of its folder."""
    paths = sorted(KUBERNETES.rglob("kustomization.yaml"))
    return {path.parent.name: parse(path.read_text())[0] for path in paths}


def written() -> list[Object]:
    """All objects as they are written, before any overlay."""
    paths = sorted(KUBERNETES.rglob("*.yaml"))
    return [
        made
        for path in paths
        for made in parse(path.read_text())
        if isinstance(made, dict) and made["kind"] not in {"Kustomization", "Component"}
    ]


def literals(kustomization: Object) -> dict[str, str]:
    """The settings that it gives."""
    found = kustomization.get("configMapGenerator", [])
    pairs = [pair for made in found for pair in made.get("literals", [])]
    return dict(pair.split("=", 1) for pair in pairs)


def is_custom(made: Object) -> bool:
    """Whether Kubernetes itself does not know its kind."""
    return bool(made["apiVersion"].startswith(("keda.sh/", "monitoring.coreos.com/")))


def find(objects: list[Object], kind: str, name: str) -> Object:
    [found] = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def pods(objects: list[Object]) -> dict[str, Object]:
    """The specification of the pods of each workload."""
    kinds = {"Deployment", "StatefulSet"}
    return {
        made["metadata"]["name"]: made["spec"]["template"]["spec"]
        for made in objects
        if made["kind"] in kinds
    }


def container(objects: list[Object], name: str) -> Object:
    """The only container of the workload ``name``."""
    [found] = pods(objects)[name]["containers"]
    assert isinstance(found, dict)
    return found


def probes(one: Object) -> Iterator[Object]:
    return (value for key, value in one.items() if key.endswith("Probe"))


def environment(objects: list[Object], name: str, secrets: dict[str, Object]) -> dict[str, str]:
    """The variables that the container of the workload ``name`` gets.

    Args:
        objects: of one overlay.
        name: the workload's.
        secrets: the data of each Secret, by its name.
    """
    one = container(objects, name)
    found: dict[str, str] = {}
    for source in one.get("envFrom", []):
        found |= find(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    for given in one.get("env", []):
        if "value" in given:
            found[given["name"]] = given["value"]
        else:
            key = given["valueFrom"]["secretKeyRef"]
            found[given["name"]] = secrets[key["name"]][key["key"]]
    return found


def documented_secrets(password: str = "opensesame") -> dict[str, Object]:
    """The Secrets that the page has its reader make, by name."""
    blocks = re.findall(r"<<EOF\n(.*?)^EOF$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    made = [one for block in blocks for one in parse(block.replace("$password", password))]
    return {one["metadata"]["name"]: one["stringData"] for one in made if one["kind"] == "Secret"}
