import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from compose.cli import cli
from tests.independent import BITS, make_chain, seal


def _check(tmp_path: Path, answer: Any, *options: str) -> Result:
    file = tmp_path / "chain.json"
    file.write_text(answer if isinstance(answer, str) else json.dumps(answer))
    return CliRunner().invoke(cli, ["check", str(file), *options])


def test_a_saved_chain_is_checked_and_summed_up(tmp_path: Path) -> None:
    chain = make_chain(5)
    result = _check(tmp_path, {"chain": chain, "length": 5}, "--network", "test")
    assert result.exit_code == 0
    assert "valid: 5 blocks, 6 transactions, each once" in result.output
    result = _check(tmp_path, {"chain": chain, "length": 5}, "--json")
    assert json.loads(result.output)["tip"] == chain[-1]["hash"]


def test_a_bad_block_is_exit_code_1_and_named(tmp_path: Path) -> None:
    chain = make_chain(5)
    chain[3] = seal({**chain[3], "previous_hash": "0" * 64})
    result = _check(tmp_path, {"chain": chain, "length": 5})
    assert result.exit_code == 1
    assert "Block 4 is invalid: it does not link" in result.output
    result = _check(tmp_path, {"chain": chain, "length": 5}, "--json")
    assert json.loads(result.output)["index"] == 4


def test_less_work_than_asked_for_is_found(tmp_path: Path) -> None:
    answer = {"chain": make_chain(2), "length": 2}
    assert _check(tmp_path, answer, "--bits", str(BITS)).exit_code == 0
    assert _check(tmp_path, answer, "--bits", str(BITS + 1)).exit_code == 1


@pytest.mark.parametrize(
    "answer",
    ["", "[]", "{}", '{"chain": 1}', '{"chain": [], "chain": []}', {"chain": [], "length": 1}],
)
def test_what_is_no_chain_is_said_in_one_sentence(tmp_path: Path, answer: Any) -> None:
    result = _check(tmp_path, answer)
    assert result.exit_code == 1
    assert "chain.json" in str(result.exception)


def test_a_directory_without_a_ledger_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["check", str(tmp_path)])
    assert "holds no ledger" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["check", str(tmp_path / "none")])
    assert "cannot be read (No such file" in str(result.exception)
