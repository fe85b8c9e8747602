"""Finds what lies beside the tests, in a source checkout and not in the package."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from chain.errors import MinequeueError

_CHECKOUT = Path(__file__).parents[1]


def import_from_checkout(module: str) -> ModuleType:
    """The module of this dotted name under tests/.

    Raises:
        MinequeueError: this is no source checkout.
    """
    if not (_CHECKOUT / "tests" / "bench").is_dir():
        raise MinequeueError("This command needs the source checkout; run it from there.")
    sys.path.insert(0, str(_CHECKOUT))
    return import_module(module)
