"""A stack for all tests that only talk to it."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("shared") / "data").start()
    yield running
    assert running.stop() == 0
    assert running.processes() == []


@pytest.fixture(scope="session")
def url(stack: Stack) -> str:
    return stack.url
