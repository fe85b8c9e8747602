"""Known answers, in JSON with comments."""

import json
from importlib import resources
from typing import Any


def load(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(f"{name}.json").read_text("utf-8"))
