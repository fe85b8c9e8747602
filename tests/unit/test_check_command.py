import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from minequeue.compose.check import chain_source, checkers
from minequeue.compose.cli.main import cli
from tests.independent import BITS, make_chain, seal
from tests.node import serve_chain, write_block

CHAIN = make_chain(15)
OURS = ("--bits", str(BITS), "--network", "test")  # what its chain is checked against


def _check(tmp_path: Path, answer: Any, *options: str) -> Result:
    file = tmp_path / "chain.json"
    file.write_text(answer if isinstance(answer, str) else json.dumps(answer))
    return CliRunner().invoke(cli, ["check", str(file), *(options or OURS)])


def test_a_saved_chain_is_checked_and_summed_up(tmp_path: Path) -> None:
    chain = make_chain(5)
    result = _check(tmp_path, {"chain": chain, "length": 5})
    assert result.exit_code == 0
    assert "valid: 5 blocks, 6 transactions, each once" in result.output
    result = _check(tmp_path, {"chain": chain, "length": 5}, "--json", *OURS)
    assert json.loads(result.output)["tip"] == chain[-1]["hash"]


def test_a_bad_block_is_exit_code_1_and_named(tmp_path: Path) -> None:
    chain = make_chain(5)
    chain[3] = seal({**chain[3], "previous_hash": "0" * 64})
    result = _check(tmp_path, {"chain": chain, "length": 5})
    assert result.exit_code == 1
    assert "Block 4 is invalid: it does not link" in result.output
    result = _check(tmp_path, {"chain": chain, "length": 5}, "--json", *OURS)
    assert json.loads(result.output)["index"] == 4


def test_less_work_than_asked_for_is_found(tmp_path: Path) -> None:
    answer = {"chain": make_chain(2), "length": 2}
    assert _check(tmp_path, answer, "--network", "test", "--bits", str(BITS)).exit_code == 0
    assert _check(tmp_path, answer, "--network", "test", "--bits", str(BITS + 1)).exit_code == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--network", "test"), f"it has {BITS} bits of work, not 20."),
        (("--bits", str(BITS)), "it is not the genesis block of the network 'minequeue'."),
    ],
)
def test_a_chain_is_checked_against_the_projects_defaults_where_nothing_is_said(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = _check(tmp_path, {"chain": make_chain(2), "length": 2}, *options)
    assert done.exit_code == 1
    assert said in done.output


def test_no_block_is_no_chain(tmp_path: Path) -> None:
    done = _check(tmp_path, {"chain": [], "length": 0}, "--json")
    assert done.exit_code == 1
    assert json.loads(done.output) == {
        "valid": False,
        "index": 1,
        "reason": "there is no genesis block.",
    }


def test_a_mark_at_the_start_of_a_file_is_no_character_of_it(tmp_path: Path) -> None:
    answer = json.dumps({"chain": CHAIN, "length": 15})
    assert _check(tmp_path, "\N{ZERO WIDTH NO-BREAK SPACE}" + answer).exit_code == 0


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "{}",
        '{"chain": 1}',
        '{"chain": []}',
        '{"chain": [], "chain": [], "length": 0}',
        '{"chain": [{"index": 1, "index": 1}], "length": 1}',
        '{"chain": [], "length": true}',
        {"chain": [], "length": 1},
        "[" * 100_000,
    ],
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


@pytest.fixture(params=["1", "2"])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How many check; where there are two, even a short chain is worth starting them."""
    monkeypatch.setattr(checkers, "_WORTH_STARTING", 0)
    return str(request.param)


def _check_node(chain: list[Any], processes: str, *options: str) -> Result:
    with serve_chain([write_block(block) for block in chain]) as url:
        return CliRunner().invoke(cli, ["check", url, "--processes", processes, *OURS, *options])


def test_a_nodes_chain_is_checked_page_by_page(processes: str) -> None:
    result = _check_node(CHAIN, processes, "--json")
    assert result.exit_code == 0
    transactions = sum(len(block["transactions"]) - 1 for block in CHAIN[1:])
    assert json.loads(result.output) == {
        "valid": True,
        "blocks": 15,
        "transactions": transactions,
        "cumulative_work": 1 + 14 * 2**BITS,
        "tip": CHAIN[-1]["hash"],
    }


@pytest.mark.parametrize("index", [1, 7, 15])
def test_the_first_bad_block_of_a_node_is_named_wherever_it_stands(
    processes: str, index: int
) -> None:
    bad = [*CHAIN[: index - 1], {**CHAIN[index - 1], "hash": "0" * 64}, *CHAIN[index:-1], None]
    result = _check_node(bad, processes)
    assert result.exit_code == 1
    assert result.output == (f"Block {index} is invalid: its hash is not the hash of its header.\n")


def test_what_binds_blocks_is_checked_across_pages(processes: str) -> None:
    result = _check_node([*CHAIN[:8], CHAIN[7], *CHAIN[9:]], processes)
    assert result.output == "Block 9 is invalid: its index is 8.\n"


def test_a_page_that_is_no_json_is_said(processes: str) -> None:
    with serve_chain([*map(write_block, CHAIN[:9]), b"{", *map(write_block, CHAIN[10:])]) as url:
        result = CliRunner().invoke(cli, ["check", url, "--processes", processes, *OURS])
    assert f"{url}/chain?from=6&limit=8 is not JSON" in str(result.exception)


def test_a_node_that_sends_less_than_it_promised_has_no_valid_chain(processes: str) -> None:
    blocks = [write_block(block) for block in CHAIN]

    def forget_the_last(first: int, _limit: int) -> None:
        if first > 1:
            blocks[-1:] = []

    with serve_chain(blocks, forget_the_last) as url:
        result = CliRunner().invoke(cli, ["check", url, "--processes", processes, *OURS])
    assert result.exit_code == 1
    assert "blocks and not " in str(result.exception)


def test_a_page_that_is_too_long_is_asked_for_again_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []
    blocks = [write_block(block) for block in CHAIN]
    monkeypatch.setattr(chain_source, "_PAGE_BYTES", max(map(len, blocks)) + 100)
    monkeypatch.setattr(chain_source, "_FIRST_PAGE", 16)
    with serve_chain(blocks, lambda first, limit: asked.append((first, limit))) as url:
        result = CliRunner().invoke(cli, ["check", url, *OURS])
    assert "valid: 15 blocks" in result.output
    assert asked[:3] == [(1, 1), (2, 14), (2, 7)]
    assert {first for first, _ in asked} > {1, 2, 15}


def test_small_blocks_come_in_ever_larger_pages() -> None:
    asked: list[int] = []
    blocks = [write_block(block) for block in make_chain(40)]
    with serve_chain(blocks, lambda _first, limit: asked.append(limit)) as url:
        assert "valid: 40 blocks" in CliRunner().invoke(cli, ["check", url, *OURS]).output
    assert asked == [1, 4, 8, 16, 11]


def test_a_node_that_is_not_there_is_named() -> None:
    with serve_chain([]) as url:
        pass
    result = CliRunner().invoke(cli, ["check", url, *OURS])
    assert f"{url}/chain?from=1&limit=1 cannot be read" in str(result.exception)


def test_a_chain_comes_through_standard_input() -> None:
    answer = json.dumps({"length": 15, "chain": CHAIN})
    result = CliRunner().invoke(cli, ["check", "-", *OURS], input=answer)
    assert "valid: 15 blocks" in result.output
