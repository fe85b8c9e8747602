"""`minequeue submit` of files: each line pays once, whatever breaks and however often it goes."""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from minequeue.chain.ledger import Ledger, RedisClient
from minequeue.compose.cli.main import cli
from minequeue.compose.client.submission import NameNeeded, SentFiles
from minequeue.compose.client.submit import SendingStopped
from minequeue.compose.text.file import MAX_LINE_BYTES
from tests.faulty_node import Asked, Told, serve
from tests.ledgers import BOUNDS, make_ledger
from tests.web_clients import make_client

BATCH, BODY_BYTES = 10, 4_000


def line(amount: Any, **more: Any) -> str:
    return json.dumps({"sender": "a", "recipient": "b", "amount": amount, **more})


class Node:
    """The real web tier over a ledger, behind a wire on which requests and answers get lost."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.asked: list[Asked] = []
        self.lose_request: Callable[[int], bool] = lambda _count: False
        self.lose_answer: Callable[[int], bool] = lambda _count: False
        self._client = make_client(ledger, batch=BATCH, body_bytes=BODY_BYTES)

    def answer(self, asked: Asked) -> Told | None:
        if asked.method == "POST":
            self.asked.append(asked)
            if self.lose_request(len(self.asked)):
                return None
        names = ("content-type", "idempotency-key")
        headers = {name: asked.headers[name] for name in names if name in asked.headers}
        done = self._client.open(asked.path, method=asked.method, data=asked.body, headers=headers)
        if asked.method == "POST" and self.lose_answer(len(self.asked)):
            return None
        sent = {name: value for name, value in done.headers.items() if name != "Content-Length"}
        return Told(done.status_code, done.data, sent)

    @property
    def amounts(self) -> list[int]:
        """Of all that was accepted, in order."""
        parts = self.ledger.waiting.read_transactions()
        return [json.loads(item)["amount"] for part in parts for item in part.items]

    @property
    def sizes(self) -> list[int]:
        """How many lines each request had."""
        return [asked.body.count(b"\n") for asked in self.asked]


@pytest.fixture
def node(redis_client: RedisClient) -> Node:
    return Node(make_ledger(redis_client))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "payments.ndjson"


@contextmanager
def at(node: Node, file: Path) -> Iterator[Callable[..., Result]]:
    """Sends ``file`` to the node, or what is ``given`` on standard input."""
    with serve(node.answer) as url:

        def send(*options: str, given: str | bytes | None = None) -> Result:
            source = str(file) if given is None else "-"
            return CliRunner().invoke(
                cli,
                ["submit", "--url", url, "--json", *options, source],
                input=given,
                env={"XDG_STATE_HOME": str(file.parent / "state")},
            )

        yield send


def counts(result: Result) -> tuple[int, int, int]:
    assert result.stdout, (result.stderr, result.exception)
    found = json.loads(result.stdout)
    return found["accepted"], found["known"], found["refused"]


def test_a_corrected_file_pays_only_what_was_not_paid(node: Node, file: Path) -> None:
    with at(node, file) as send:
        file.write_text("\n".join([line(11), line("12"), line(13)]))
        first = send()
        assert (first.exit_code, counts(first)) == (1, (2, 0, 1))
        file.write_text("\n".join([line(11), line(12), line(13)]))
        second = send()
    assert (second.exit_code, counts(second)) == (0, (3, 2, 0))
    assert node.amounts == [11, 13, 12]


def test_the_same_line_under_another_name_pays_again(node: Node, file: Path) -> None:
    file.write_text(line(1))
    with at(node, file) as send:
        for options, known in ((), 0), (("--name", "x"), 0), (("--name", "x"), 1), ((), 1):
            assert counts(send(*options)) == (1, known, 0)
    assert node.amounts == [1, 1]


def test_equal_lines_are_so_many_payments_wherever_they_stand(node: Node, file: Path) -> None:
    with at(node, file) as send:
        file.write_text("\n".join([line(1)] * 3))
        assert counts(send()) == (3, 0, 0)
        file.write_text("\n".join([line(2), line(1), line(3), *[line(1)] * 3]))
        assert counts(send()) == (6, 3, 0)
    assert node.amounts == [1, 1, 1, 2, 3, 1]


def test_ends_blanks_and_a_mark_at_the_start_make_no_other_line(node: Node, file: Path) -> None:
    with at(node, file) as send:
        file.write_bytes(b"\n".join([line(1).encode(), line(2).encode()]))
        assert counts(send()) == (2, 0, 0)
        file.write_bytes(
            BOM_UTF8 + b"\r\n\r\n".join([line(1).encode(), b" %b " % line(2).encode()])
        )
        assert counts(send()) == (2, 2, 0)
    assert node.amounts == [1, 2]


def test_batches_are_cut_by_the_nodes_own_bounds(node: Node, file: Path) -> None:
    file.write_text("\n".join(line(n) for n in range(25)))
    with at(node, file) as send:
        assert counts(send()) == (25, 0, 0)
    assert node.sizes == [10, 10, 5]


def test_a_request_is_as_large_as_the_nodes_bound_and_no_larger(node: Node, file: Path) -> None:
    filled = [_fill(n, BODY_BYTES // 4) for n in range(4)]
    for more, sizes in ((0, [4]), (1, [3, 1])):
        node.asked.clear()
        lines = [*filled[:3], _fill(3, BODY_BYTES // 4 + more)]
        file.write_text("\n".join(lines))
        with at(node, file) as send:
            assert counts(send("--name", f"{more}"))[0] == 4
        assert node.sizes == sizes
    assert max(len(asked.body) for asked in node.asked) <= BODY_BYTES


def _fill(number: int, size: int) -> str:
    """A line with its own nonce that has ``size`` bytes with its end."""
    empty = line(number, nonce=f"n{number}", contract="")
    return line(number, nonce=f"n{number}", contract="x" * (size - 1 - len(empty)))


def test_a_queue_that_holds_less_than_a_batch_is_filled_by_parts(
    redis_client: RedisClient, file: Path
) -> None:
    node = Node(make_ledger(redis_client, bounds=replace(BOUNDS, pending=6)))
    file.write_text("\n".join(line(n) for n in range(6)))
    with at(node, file) as send:
        assert counts(send()) == (6, 0, 0)
    assert node.sizes == [6]


@pytest.mark.parametrize("lines", [1, 2, 9])
def test_a_queue_of_few_bytes_is_filled_by_what_fits(
    redis_client: RedisClient, file: Path, lines: int
) -> None:
    # the shortest lines grow most: to 170 bytes of the queue, of which it holds just so many
    node = Node(make_ledger(redis_client, bounds=replace(BOUNDS, pending_bytes=170 * lines)))
    shortest = '{"sender":"a","recipient":"b","amount":%d,"nonce":"1"}'
    file.write_text("\n".join(shortest % n for n in range(lines)))
    with at(node, file) as send:
        assert counts(send()) == (lines, 0, 0)
    assert node.ledger.queue.read().pending_bytes == 170 * lines
    # one batch is never more than fits in an empty queue
    assert max(len(asked.body) for asked in node.asked) <= max(54, 170 * lines // 4)


def test_what_passes_less_than_the_node_tells_is_met_by_halves(node: Node, file: Path) -> None:
    def proxy(asked: Asked) -> Told | None:
        return Told(413) if len(asked.body) > 300 else node.answer(asked)

    file.write_text("\n".join([*(line(n) for n in range(8)), line(9, contract="x" * 400)]))
    with serve(proxy) as url:
        done = CliRunner().invoke(cli, ["submit", "--url", url, "--json", "--name", "x", str(file)])
    assert counts(done) == (8, 0, 1)
    assert "line 9: " in done.stderr
    assert node.amounts == [*range(8)]


@pytest.mark.parametrize("told", [{}, [], {"limits": {}}, {"limits": {"batch": "x"}}])
def test_a_node_that_does_not_tell_its_bounds_gets_small_batches(
    node: Node, file: Path, told: Any
) -> None:
    def older(asked: Asked) -> Told | None:
        if asked.path == "/queue":
            return Told(200, json.dumps(told).encode())
        outcomes = [{"id": "x"}] * asked.body.count(b"\n")
        node.asked.append(asked)
        return Told(202, json.dumps(outcomes).encode())

    file.write_text("\n".join(line(n) for n in range(1001)))
    with serve(older) as url:
        done = CliRunner().invoke(cli, ["submit", "--url", url, "--json", "--name", "x", str(file)])
    assert node.sizes == [1000, 1]
    assert json.loads(done.stdout)["known"] is None


def test_each_refused_line_is_named_with_the_reason(node: Node, file: Path) -> None:
    receipts = file.with_suffix(".receipts")
    text = ["", line(-1), "nonsense", line(1), line(2, colour="red"), "x" * (MAX_LINE_BYTES + 1)]
    file.write_text("\n".join(text))
    with at(node, file) as send:
        done = send("--receipts", str(receipts))
    assert (done.exit_code, counts(done)) == (1, (1, 0, 4))
    said = [each for each in done.stderr.splitlines() if each.startswith("line ")]
    assert [each.split(":")[0] for each in said] == ["line 2", "line 3", "line 5", "line 6"]
    for each, reason in zip(said, ("amount", "JSON", "colour", "longer than"), strict=True):
        assert reason in each
    written = [json.loads(each) for each in receipts.read_text().splitlines()]
    assert [each["line"] for each in written] == [2, 3, 4, 5, 6]
    assert [each["status"] for each in written].count("refused") == 4


def test_a_batch_without_a_valid_line_names_each(node: Node, file: Path) -> None:
    file.write_text("\n".join([line(-1), line(-2), line(-2)]))
    with at(node, file) as send:
        done = send()
    assert (done.exit_code, counts(done)) == (1, (0, 0, 3))
    assert "line 3: amount must be" in done.stderr


def test_a_line_keeps_its_own_nonce_and_its_bytes(node: Node, file: Path) -> None:
    own = '{"amount": 1,"recipient":"b", "nonce":"mine","sender":"a"}'
    file.write_text("\n".join([own, own]))
    with at(node, file) as send:
        assert counts(send()) == (2, 1, 0)
    assert node.asked[0].body.splitlines() == [own.encode()] * 2


def test_standard_input_needs_a_name_unless_its_lines_have_their_nonces(
    node: Node, file: Path
) -> None:
    with at(node, file) as send:
        refused = send(given=line(1))
        assert isinstance(refused.exception, NameNeeded)
        assert "--name" in str(refused.exception)
        assert node.asked == []
        assert counts(send(given=line(2, nonce="n"))) == (1, 0, 0)
        for known in (0, 1):
            assert counts(send("--name", "x", given=line(3))) == (1, known, 0)
        file.write_text(line(3))
        assert counts(send("--name", "x")) == (1, 1, 0)
    assert node.amounts == [2, 3]


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_none(node: Node, file: Path, name: str) -> None:
    file.write_text(line(1))
    with at(node, file) as send:
        done = send("--name", name)
    assert "--name is empty" in str(done.exception)
    assert node.amounts == []


def test_the_name_is_printed_and_stands_for_the_file(node: Node, file: Path) -> None:
    file.write_text(line(1))
    with at(node, file) as send:
        first = send()
        name = json.loads(first.stdout)["name"]
        assert name.startswith(f"{file.resolve()}@20")
        assert f"submission {name}" in first.stderr
        assert counts(send("--name", name)) == (1, 1, 0)


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_connection_that_breaks_counts_nothing_by_halves_and_a_repetition_mends_it(
    node: Node, file: Path, lost: str
) -> None:
    setattr(node, f"lose_{lost}", lambda count: count == 2)
    receipts = file.with_suffix(".receipts")
    file.write_text("\n".join(line(n) for n in range(25)))
    with at(node, file) as send:
        stopped = send("--receipts", str(receipts))
        assert isinstance(stopped.exception, SendingStopped)
        assert "Until then: 10 accepted" in str(stopped.exception)
        assert f"Send it again with --name {file.resolve()}@" in str(stopped.exception)
        assert len(receipts.read_text().splitlines()) == 10
        assert counts(send()) == (25, 10 if lost == "request" else 20, 0)
    assert sorted(node.amounts) == [*range(25)]


def test_receipts_stay_until_there_are_new_ones(node: Node, file: Path) -> None:
    receipts = file.with_suffix(".receipts")
    with at(node, file) as send:
        file.write_text(f"{line(1)}\n{line(2)}")
        send("--receipts", str(receipts))
        before = receipts.read_text()
        assert len(before.splitlines()) == 2
        assert isinstance(send("--receipts", str(receipts), given=line(3)).exception, NameNeeded)
        assert receipts.read_text() == before
        file.write_text(line(3))
        send("--receipts", str(receipts))
    assert len(receipts.read_text().splitlines()) == 1
    assert receipts.read_text() not in before


def test_an_answer_with_another_number_of_outcomes_counts_for_nothing(file: Path) -> None:
    def liar(asked: Asked) -> Told:
        return Told(200) if asked.path == "/queue" else Told(202, b'[{"id": "x"}]')

    file.write_text("\n".join([line(1), line(2)]))
    with serve(liar) as url:
        done = CliRunner().invoke(cli, ["submit", "--url", url, "--name", "x", str(file)])
    assert isinstance(done.exception, SendingStopped)
    assert "Until then: 0 accepted" in str(done.exception)


def test_a_file_keeps_its_name_until_all_of_it_was_accepted_also_after_midnight(
    tmp_path: Path,
) -> None:
    sent, path = SentFiles(tmp_path / "state"), tmp_path / "file"
    name = sent.begin(path, "2026-11-26")
    assert name == f"{path}@2026-11-26"
    assert sent.begin(path, "2026-11-27") == name
    sent.end(path)
    assert sent.begin(tmp_path / "other", "2026-11-27") == f"{tmp_path}/other@2026-11-27"


def test_a_file_that_was_accepted_whole_on_another_day_is_asked_for(tmp_path: Path) -> None:
    sent, path = SentFiles(tmp_path / "state"), tmp_path / "file"
    name = sent.begin(path, "2026-11-26")
    sent.end(path)
    assert sent.begin(path, "2026-11-26") == name  # on its own day it goes on
    sent.end(path)
    for day in ("2026-11-27", "2026-11-25"):
        with pytest.raises(NameNeeded, match=f"give --name {name}; to pay its lines again, anoth"):
            sent.begin(path, day)


def test_a_day_is_not_forgotten_where_its_last_line_was_cut(tmp_path: Path) -> None:
    sent, path = SentFiles(tmp_path / "state"), tmp_path / "file"
    name = sent.begin(path, "2026-11-26")
    (record,) = (tmp_path / "state").iterdir()
    with record.open("ab") as file:
        file.write(b'{"day": "2026-1')
    assert sent.begin(path, "2026-11-27") == name
    sent.end(path)
    with pytest.raises(NameNeeded):
        sent.begin(path, "2026-11-27")


@pytest.mark.parametrize("text", ["nonsense\n", "\xff\n"])
def test_a_record_that_cannot_be_read_or_kept_is_said(tmp_path: Path, text: str) -> None:
    sent, path = SentFiles(tmp_path / "state"), tmp_path / "file"
    sent.begin(path, "2026-11-26")
    (record,) = (tmp_path / "state").iterdir()
    record.write_text(text, "latin-1")
    with pytest.raises(NameNeeded, match="give the submission a --name"):
        sent.begin(path, "2026-11-26")
    (tmp_path / "taken").write_text("")
    with pytest.raises(NameNeeded, match="give the submission a --name"):
        SentFiles(tmp_path / "taken").begin(path, "2026-11-26")


def test_one_transaction_of_options_takes_no_file_and_no_name() -> None:
    options = ["submit", "--recipient", "b", "--amount", "1", "--sender", "a"]
    for more in (["--name", "x"], ["file"]):
        assert CliRunner().invoke(cli, [*options, *more]).exit_code == 2
