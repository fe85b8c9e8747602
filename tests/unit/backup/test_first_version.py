"""Backups that the first version wrote."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.backups import read_waiting, take_in, tip_index
from tests.ledgers import RULES
from tests.saved_ledgers import read_facts, read_kept
from tests.separate_ledgers import make_separate_ledger

NETWORKS = {"optional": "minequeue", "required": "signed"}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_backup_of_the_first_version_is_taken_in_whole(name: str, file: Path) -> None:
    file.write_bytes(read_kept("first_version", f"{name}.ndjson"))
    facts = read_facts("first_version", name)
    rules = replace(RULES, network=NETWORKS[name], bits=12, block_transactions=5000)
    ledger = make_separate_ledger(replace(rules, signed=name == "required"))
    take_in(file, ledger)
    transactions, jobs = read_waiting(ledger)
    assert tip_index(ledger) == facts["tip"]["index"]
    assert ledger.blocks.tip().header.hash.hex() == facts["tip"]["hash"]
    assert {"pending_transactions": len(transactions), "mine_requests": len(jobs)} == facts[
        "waiting"
    ]
