"""`minequeue proof verify`: from files alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chain.ledger import Connection
from compose.cli import cli
from compose.proof import InvalidProof
from tests.ledgers import make_ledger, mine_all, submit
from tests.web_clients import make_client


@pytest.fixture
def proof(connection: Connection) -> dict[str, Any]:
    """Of a transaction in the middle of a block."""
    ledger = make_ledger(connection)
    transactions = submit(ledger, 5)
    mine_all(ledger)
    answer = make_client(ledger).get(f"/transactions/{transactions[2].id}/proof")
    found: dict[str, Any] = answer.get_json()
    return found


def _verify(tmp_path: Path, proof: Any, header: Any = None) -> Any:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    arguments = ["proof", "verify", str(path), "--json"]
    if header is not None:
        (tmp_path / "header.json").write_text(json.dumps(header))
        arguments += ["--header", str(tmp_path / "header.json")]
    return CliRunner().invoke(cli, arguments)


def test_a_proof_that_a_node_gave_is_valid(tmp_path: Path, proof: dict[str, Any]) -> None:
    for header in (None, proof["block"]):
        done = _verify(tmp_path, proof, header)
        assert done.exit_code == 0, done.exception
        shown = json.loads(done.stdout)
        assert shown["valid"] is True
        assert (shown["id"], shown["hash"]) == (proof["id"], proof["block"]["hash"])


def _changed(proof: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    part, _, field = name.partition(".")
    if field:
        return {**proof, part: {**proof[part], field: value}}
    return {**proof, name: value}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("id", "0" * 64, "another transaction"),
        ("leaf_index", 3, "does not lead"),
        ("leaf_index", -1, "does not lead"),
        ("tree_size", 3, "must be its reward"),
        ("path", [], "does not lead"),
        ("path", ["0" * 64] * 3, "does not lead"),
        ("path", ["x"], "not what a node answers"),
        ("transaction.amount", 2, "not valid"),
        ("block.merkle_root", "0" * 64, "target"),
        ("block.proof", 2**64, "out of its bounds"),
        ("block.bits", 255, "target"),
    ],
)
def test_a_proof_that_was_changed_shows_nothing(
    tmp_path: Path, proof: dict[str, Any], name: str, value: Any, reason: str
) -> None:
    done = _verify(tmp_path, _changed(proof, name, value))
    assert isinstance(done.exception, InvalidProof)
    assert reason in str(done.exception) or "does not lead" in str(done.exception)


def test_a_proof_for_another_header_shows_nothing(tmp_path: Path, proof: dict[str, Any]) -> None:
    header = {**proof["block"], "timestamp": 1}
    done = _verify(tmp_path, proof, header)
    assert isinstance(done.exception, InvalidProof)
    assert "not for the header" in str(done.exception)


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense"])
def test_a_file_that_is_no_proof_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "proof.json"
    path.write_text(text)
    done = CliRunner().invoke(cli, ["proof", "verify", str(path)])
    assert isinstance(done.exception, InvalidProof)
