"""The ledger's tests in this process, on fakeredis."""

from importlib import import_module
from pkgutil import iter_modules

from tests import ledger_tests
from tests.ledger_tests import *  # noqa: F403  # the same as on a real server


def test_no_test_of_the_ledger_is_left_out_or_hidden_by_another_of_its_name() -> None:
    found = iter_modules(ledger_tests.__path__, f"{ledger_tests.__name__}.")
    for module in [import_module(each.name) for each in found]:
        for name, test in vars(module).items():
            if name.startswith("test_"):
                assert vars(ledger_tests).get(name) is test, f"{module.__name__}: {name}"
