"""Two ledgers of one network, and the file between them."""

from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger
from tests.backups import BLOCKS, JOBS, WAITING, mine
from tests.ledgers import request_mine, submit
from tests.separate_ledgers import make_separate_ledger


@pytest.fixture
def ours() -> Ledger:
    return make_separate_ledger()


@pytest.fixture
def other() -> Ledger:
    return make_separate_ledger()


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
