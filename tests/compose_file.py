"""The compose file for tests: as it is written, without what the environment would say."""

import re
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
ROOT = Path(__file__).parents[1]
COMPOSE_FILE = ROOT / "compose" / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")  # all have a default


def _fill_in(written: Any) -> Any:
    """Put the defaults where the environment could say something else."""
    if isinstance(written, dict):
        return {key: _fill_in(value) for key, value in written.items()}
    if isinstance(written, list):
        return [_fill_in(value) for value in written]
    return _VARIABLE.sub(r"\1", written) if isinstance(written, str) else written


FILE: Object = _fill_in(yaml.safe_load(COMPOSE_FILE.read_text()))
SERVICES: dict[str, Object] = FILE["services"]
# whose images are nobody's here
WATCHERS = frozenset({"prometheus", "grafana"})
OURS = sorted(name for name, one in SERVICES.items() if one["image"] == "minequeue:latest")
