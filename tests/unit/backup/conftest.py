"""Two ledgers of one network, and the file between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.ledger import Ledger
from tests.backups import BLOCKS, JOBS, WAITING, mine, open_ledger
from tests.ledgers import request_mine, submit


@pytest.fixture
def ours() -> Iterator[Ledger]:
    yield from open_ledger()


@pytest.fixture
def other() -> Iterator[Ledger]:
    yield from open_ledger()


@pytest.fixture
def full(ours: Ledger) -> Ledger:
    """A ledger with blocks, mine requests and pending transactions."""
    for _ in range(BLOCKS - 1):
        mine(ours, 2)
    submit(ours, WAITING)
    for _ in range(JOBS):
        request_mine(ours)
    return ours


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.ndjson"
