"""What the command line makes of a node that errs, floods or means harm."""

import io
import json
import sys
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from minequeue.chain.protocol.rules import MAX_BODY_BYTES
from minequeue.compose.cli.main import cli, main
from minequeue.compose.client.node_client import MAX_ANSWER_BYTES, NodeAway, NodeClient, NodeRefused
from minequeue.compose.client.status import draw
from minequeue.compose.text.terminal import escape
from tests.faulty_node import Asked, Told, serve
from tests.unit.test_status import QUEUE

# sets the window's title, clears the screen, turns the direction of writing, in C0, C1 and beyond
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\u2028\x7f"


def _is_harmless(text: str) -> bool:
    return all(each.isprintable() or each == "\n" for each in text)


def _run(capsys: pytest.CaptureFixture[str], monkeypatch: Any, *arguments: str) -> tuple[str, Any]:
    """What the command prints, and its exit code."""
    monkeypatch.setattr(sys, "argv", ["minequeue", *arguments])
    code: Any = 0
    try:
        main()
    except SystemExit as error:
        code = error.code
    said = capsys.readouterr()
    return said.out + said.err, code


def test_what_is_not_printable_is_written_as_its_escape() -> None:
    assert escape("plain é 漢 \\") == "plain é 漢 \\"
    assert escape("\x1b[2J\n\x9b\u202e") == "\\x1b[2J\\n\\x9b\\u202e"
    assert escape("\ud800") == "\\ud800"
    assert _is_harmless(escape(EVIL))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("tx", "x"), Told(404, json.dumps({"detail": EVIL}).encode())),
        (("tx", "x"), Told(302, headers={"Location": EVIL.encode().decode("latin-1")})),
        (("tx", "x"), Told(200, json.dumps({"id": EVIL, EVIL: [EVIL]}).encode())),
        (("block", "2"), Told(200, json.dumps(EVIL).encode())),
        (("status",), Told(200, json.dumps({**QUEUE, EVIL: EVIL}).encode())),
        (("status",), Told(200, json.dumps({**QUEUE, "depth": EVIL}).encode())),
        (("mine",), Told(500, EVIL.encode())),
    ],
)
def test_no_text_of_a_node_reaches_the_terminal_as_it_came(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    told: Told,
) -> None:
    with serve(lambda _: told) as url:
        text, _ = _run(capsys, monkeypatch, *arguments, "--url", url)
    assert text
    assert _is_harmless(text)


def test_the_live_table_shows_no_markup_of_a_node() -> None:
    told = {**QUEUE, "tip": {"index": 1, "hash": f"[red]{EVIL}"}}
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(draw(told, {}, EVIL))
    text = console.export_text()
    assert "[red]" in text
    assert _is_harmless(text)


def test_a_refused_token_names_the_setting() -> None:
    body = json.dumps({"detail": "Send Authorization: Bearer with a token of this node."}).encode()
    with serve(lambda _: Told(401, body)) as url, pytest.raises(NodeRefused) as caught:
        NodeClient(url).call("POST", "/chain/mine", b"")
    assert str(caught.value) == (
        "Send Authorization: Bearer with a token of this node; "
        "set MINEQUEUE_TOKEN to a token of this node."
    )


def test_a_redirect_is_told_and_does_not_carry_the_token_away() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Told:
        asked.append(request)
        return Told(307, headers={"Location": "http://127.0.0.1:1/elsewhere"})

    with serve(answer) as url, pytest.raises(NodeRefused, match="leads to http"):
        NodeClient(url, "secret").call("GET", "/queue")
    assert [each.headers["authorization"] for each in asked] == ["Bearer secret"]


@pytest.mark.parametrize(("over", "is_taken"), [(0, True), (1, False)])
def test_an_answer_is_read_up_to_its_bound(over: int, is_taken: bool) -> None:
    most = 1000
    body = json.dumps("x" * (most + over - 2)).encode()
    with serve(lambda _: Told(200, body)) as url:
        client = NodeClient(url, most=most)
        if is_taken:
            assert client.call("GET", "/")[0] == 200
        else:
            with pytest.raises(NodeAway, match="longer than 1000 bytes"):
                client.call("GET", "/")


def test_the_largest_block_and_the_largest_batch_fit_in_an_answer() -> None:
    assert MAX_ANSWER_BYTES >= MAX_BODY_BYTES + 64 * 1024
    refusal = 10_000 * 1024  # of ten thousand entries, each with a sentence and a field of theirs
    assert refusal <= MAX_ANSWER_BYTES


def test_an_answer_that_breaks_off_is_none() -> None:
    with serve(lambda _: Told(200, b"[1, 2]", length=7)) as url, pytest.raises(NodeAway):
        NodeClient(url).call("GET", "/")


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff", b"", b'{"a":1,"a":2}'])
def test_what_is_no_json_is_one_sentence(body: bytes) -> None:
    with serve(lambda _: Told(200, body)) as url, pytest.raises(NodeAway, match="as a node does"):
        NodeClient(url).call("GET", "/")
    with serve(lambda _: Told(404, body)) as url, pytest.raises(NodeRefused, match="answers 404"):
        NodeClient(url).call("GET", "/")


@pytest.mark.parametrize("status", [429, 503])
def test_a_node_without_room_is_asked_again_until_the_time_is_over(status: int) -> None:
    count = 0

    def answer(_: Asked) -> Told:
        nonlocal count
        count += 1
        return Told(status, headers={"Retry-After": "0"}) if count < 3 else Told(200, b"7")

    with serve(answer) as url:
        client = NodeClient(url)
        with pytest.raises(NodeRefused):
            client.insist("GET", "/", wait_s=0)
        assert client.insist("GET", "/", wait_s=60).body == b"7"
    assert count == 3


def test_a_node_that_is_missed_is_asked_again() -> None:
    count = 0

    def answer(_: Asked) -> Told | None:
        nonlocal count
        count += 1
        return Told(200, b"7") if count == 3 else None

    with serve(answer) as url:
        client = NodeClient(url)
        with pytest.raises(NodeAway):
            client.insist("GET", "/", wait_s=60)
        assert client.insist("GET", "/", wait_s=60, is_missed=True).body == b"7"


@pytest.mark.parametrize("queue", [[], {}, {**QUEUE, "depth": "1"}, {**QUEUE, "tip": 1}])
def test_what_answers_otherwise_than_a_node_is_said_to_be_none(queue: Any) -> None:
    with serve(lambda _: Told(200, json.dumps(queue).encode())) as url:
        done = CliRunner().invoke(cli, ["status", "--url", url])
    assert "is no node" in str(done.exception)
