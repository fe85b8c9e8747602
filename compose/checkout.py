"""Finds what lies beside the tests, in a source checkout and not in the package."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from minequeue.chain.errors import MinequeueError

CHECKOUT = Path(__file__).resolve().parents[1]  # the package has links to its folders


def require_checkout() -> None:
    """See that this runs from a source checkout.

    Raises:
        MinequeueError: it runs from an installed package.
    """
    if not (CHECKOUT / "tests" / "bench").is_dir():
        raise MinequeueError(
            "This command needs the source checkout, since its code lies beside the tests and not "
            "in the package; run it from there."
        )


def import_from_checkout(module: str) -> ModuleType:
    """The module of this dotted name under tests/.

    Raises:
        MinequeueError: this is no source checkout, or what the tests need is not installed.
    """
    require_checkout()
    sys.path.insert(0, str(CHECKOUT))
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] == "tests":
            raise
        raise MinequeueError(
            f"This command needs the library {error.name}, which `make test` installs."
        ) from None
