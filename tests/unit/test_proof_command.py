"""`minequeue proof verify`: from files alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from minequeue.chain.ledger import RedisClient
from minequeue.chain.protocol.merkle import calculate_path, calculate_root
from minequeue.chain.protocol.transaction import reward
from minequeue.compose.cli.main import cli
from minequeue.compose.client.proof import InvalidProof
from tests.ledgers import make_ledger, make_transaction, mine_all, submit
from tests.web_clients import make_client


@pytest.fixture
def client(redis_client: RedisClient) -> FlaskClient:
    return make_client(make_ledger(redis_client), page=100)


@pytest.fixture
def proof(client: FlaskClient, redis_client: RedisClient) -> dict[str, Any]:
    """Of a transaction in the middle of a block, which others follow."""
    ledger = make_ledger(redis_client)
    transactions = submit(ledger, 5)
    mine_all(ledger)
    for _ in range(2):
        submit(ledger, 1)
        mine_all(ledger)
    answer = client.get(f"/transactions/{transactions[2].id}/proof")
    found: dict[str, Any] = answer.get_json()
    return found


def _verify(tmp_path: Path, proof: Any, header: Any = None, bits: int | None = 4) -> Any:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    arguments = ["proof", "verify", str(path), "--json"]
    if bits is not None:
        arguments += ["--bits", str(bits)]
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
        assert shown["header"] == ("own" if header is None else "trusted")
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
        ("block.version", 2, "version"),
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


@pytest.mark.parametrize("bits", [None, 5])
def test_a_block_with_less_work_than_asked_for_shows_nothing(
    tmp_path: Path, proof: dict[str, Any], bits: int | None
) -> None:
    done = _verify(tmp_path, proof, bits=bits)
    assert isinstance(done.exception, InvalidProof)
    assert f"has 4 bits of work, not {bits or 20}" in str(done.exception)


def test_a_proof_that_costs_no_work_shows_nothing(tmp_path: Path, proof: dict[str, Any]) -> None:
    transaction = make_transaction()
    fields = json.loads(transaction.canonical)
    leaves = [transaction.canonical, reward("me", 7).canonical]
    forged = {
        "id": transaction.id,
        "transaction": fields,
        "leaf_index": 0,
        "tree_size": 2,
        "path": [node.hex() for node in calculate_path(leaves, 0)],
        "block": {
            **proof["block"],
            "bits": 0,
            "index": 7,
            "merkle_root": calculate_root(leaves).hex(),
        },
    }
    done = _verify(tmp_path, forged, bits=1)
    assert isinstance(done.exception, InvalidProof)
    assert "has 0 bits of work, not 1" in str(done.exception)


def test_a_mark_at_the_start_of_a_proof_is_no_character_of_it(
    tmp_path: Path, proof: dict[str, Any]
) -> None:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof), "utf-8-sig")
    assert CliRunner().invoke(cli, ["proof", "verify", str(path), "--bits", "4"]).exit_code == 0


def _verify_among(tmp_path: Path, proof: Any, pages: list[list[Any]], *options: str) -> Any:
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    arguments = ["proof", "verify", str(tmp_path / "proof.json"), "--json", "--bits", "4", *options]
    for number, page in enumerate(pages):
        path = tmp_path / f"headers.{number}"
        path.write_text(json.dumps({"headers": page, "length": 4}))
        arguments += ["--headers", str(path)]
    return CliRunner().invoke(cli, arguments)


def test_headers_from_the_first_block_on_show_the_network(
    tmp_path: Path, proof: dict[str, Any], client: FlaskClient
) -> None:
    headers = client.get("/chain/headers").get_json()["headers"]
    for pages in ([headers], [headers[:1], headers[1:]]):
        done = _verify_among(tmp_path, proof, pages, "--network", "test")
        assert done.exit_code == 0, done.exception
        shown = json.loads(done.stdout)
        assert (shown["network"], shown["length"]) == ("test", len(headers))
    assert json.loads(_verify(tmp_path, proof).stdout)["network"] is None


def test_headers_of_another_network_or_chain_show_nothing(
    tmp_path: Path, proof: dict[str, Any], client: FlaskClient
) -> None:
    headers = client.get("/chain/headers").get_json()["headers"]
    ours, index = ("--network", "test"), proof["block"]["index"]
    for pages, options, reason in (
        ([headers], (), "first block of the network 'minequeue'"),
        ([headers], ("--network", "tset"), "first block of the network 'tset'"),
        ([[]], ours, "first block"),
        ([headers[1:]], ours, "first block"),
        ([headers[:1], headers[2:]], ours, "does not follow"),
        ([[headers[0], {**headers[1], "proof": 2**63}, *headers[2:]]], ours, "zero bits"),
        ([headers[: index - 1]], ours, "is not among the headers"),
        ([headers], (*ours, "--bits", "5"), "4 bits of work, not 5"),
    ):
        done = _verify_among(tmp_path, proof, pages, *options)
        assert isinstance(done.exception, InvalidProof), reason
        assert reason in str(done.exception)
