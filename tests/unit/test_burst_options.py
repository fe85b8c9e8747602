import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from minequeue.compose.burst.files import read_transactions, write_receipts
from minequeue.compose.burst.options import share
from minequeue.compose.burst.plan import BadPlan
from minequeue.compose.burst.record import Answer, Record
from minequeue.compose.burst.summary import describe, summarise
from minequeue.compose.burst.target import BadTarget, check_target
from minequeue.compose.burst.verdict import judge


def _resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port)) for found in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000", "http://[::1]:3000/", "http://127.9.9.9"])
def test_a_burst_goes_to_this_machine(url: str) -> None:
    assert check_target(url, is_owned=False) == url.rstrip("/")


@pytest.mark.parametrize(
    "addresses", [["192.0.2.1"], ["127.0.0.1", "192.0.2.1"], ["0.0.0.0"], ["::ffff:192.0.2.1"]]
)
def test_a_name_with_any_other_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    _resolve_to(monkeypatch, *addresses)
    with pytest.raises(BadTarget, match="not this machine"):
        check_target("http://node.test:3000", is_owned=False)


def test_another_machine_is_taken_from_who_owns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, "192.0.2.1")
    assert check_target("http://node.test:3000", is_owned=True) == "http://node.test:3000"


@pytest.mark.parametrize("url", ["ftp://localhost", "localhost", "http://h:99999", "http://h/path"])
def test_what_is_no_url_of_a_node_is_refused(url: str) -> None:
    with pytest.raises(BadTarget, match="no URL"):
        check_target(url, is_owned=True)


def test_weights_become_shares() -> None:
    assert share(97, 1, 2) == (0.97, 0.01, 0.02)


@pytest.mark.parametrize("weights", [(0, 0, 0), (1, -1, 1)])
def test_weights_without_meaning_are_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(BadPlan):
        share(*weights)


def test_blank_lines_of_a_file_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "transactions"
    file.write_text('{"amount": 1}\n\n{"amount": 2}\n')
    assert read_transactions(file) == [{"amount": 1}, {"amount": 2}]


@pytest.mark.parametrize(
    ("content", "said"), [("", "no transactions"), ("{}\n[]", "line 2"), ("{}\n{", "line 2")]
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "transactions"
    file.write_text(content)
    with pytest.raises(BadPlan, match=said):
        read_transactions(file)


def test_every_receipt_is_written() -> None:
    file = io.StringIO()
    write_receipts(Record(receipts={"a": 1.5}, jobs={"j": 2.0}), file)
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"kind": "transaction", "id": "a", "accepted_at_s": 1.5},
        {"kind": "job", "id": "j", "accepted_at_s": 2.0},
    ]


def test_what_was_not_looked_for_is_neither_lost_nor_found() -> None:
    record = Record(answers=[Answer(1.0, "submit", 202, 0.1)], receipts={"a": 1.0})
    summary = summarise(record, None)
    assert (summary["accepted"], summary["mined"], summary["lost"]) == (1, None, None)
    assert "not looked for" in describe(summary)


def test_a_loss_is_named() -> None:
    record = Record(answers=[Answer(1.0, "submit", 202, 0.1)], receipts={"a" * 64: 1.0})
    summary = summarise(record, judge(record, []))
    assert (summary["lost"], summary["is_kept"]) == (1, False)
    assert "a" * 64 in describe(summary)
