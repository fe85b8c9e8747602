"""Three nodes that are cut apart and joined, with clients at all of them."""

import json
from pathlib import Path

import pytest

from tests.chaos.splits import run_splits


def test_nodes_that_were_apart_agree_and_nothing_is_lost_or_doubled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_splits(2, 1, data_dir=tmp_path, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accepted"] > 0
    assert (found["lost"], found["doubled"]) == (0, 0)
    assert found["reorganisations"] > 0
