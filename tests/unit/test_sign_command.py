"""`minequeue key` and `minequeue sign`."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from minequeue.chain.errors import MinequeueError
from minequeue.chain.protocol.transaction import accept_submission
from minequeue.compose.burst.files import read_transactions
from minequeue.compose.cli.main import cli
from minequeue.compose.client.key_file import BadKeyFile, read_key, write_key
from minequeue.compose.client.sign import CannotSign
from minequeue.compose.config.settings import Settings
from minequeue.compose.text.file import MAX_LINE_BYTES, number_lines
from minequeue.web.guard.tokens import Tokens, draw_token, make_entry

PAYMENT = {"recipient": "bob", "amount": 5}


def _run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(cli, arguments, input=given)


def _signed(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "alice.key"
    assert _run("key", "new", str(path)).exit_code == 0
    return path


def test_a_new_key_is_its_owners_alone_and_its_secret_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "alice.key"
    result = _run("key", "new", str(path), "--json")
    key = read_key(path)
    assert json.loads(result.stdout) == {"address": key.address}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.seed.hex() not in result.output


def test_the_address_of_a_key_can_be_shown(key_file: Path) -> None:
    assert _run("key", "show", str(key_file)).stdout.strip() == read_key(key_file).address


def test_a_key_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(BadKeyFile, match="File exists"):
        write_key(key_file)
    assert key_file.read_bytes() == before


def test_a_key_that_others_may_read_is_not_used(key_file: Path) -> None:
    key_file.chmod(0o640)
    with pytest.raises(BadKeyFile, match="chmod 600"):
        read_key(key_file)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '"text"',
        '{"secret_key": 1}',
        '{"secret_key": "00"}',
        '{"secret_key": "zz"}',
        '{"secret_key": "' + "00" * 32 + '", "address": "' + "00" * 32 + '"}',
    ],
)
def test_a_file_that_holds_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadKeyFile) as caught:
        read_key(path)
    assert caught.value.__cause__ is None
    assert "00" * 32 not in str(caught.value)


def test_lines_in_are_signed_lines_out(key_file: Path) -> None:
    lines = "\n".join(json.dumps({**PAYMENT, "amount": n}) for n in range(3)) + "\n\n"
    signed = _signed(_run("sign", "--key", str(key_file), given=lines))
    assert [each["amount"] for each in signed] == [0, 1, 2]
    assert len({each["nonce"] for each in signed}) == 3
    for each in signed:
        assert accept_submission(each, lambda: "", signed=True).id
        assert each["sender"] == read_key(key_file).address


def test_one_transaction_may_go_over_many_lines(key_file: Path) -> None:
    pretty = json.dumps(PAYMENT, indent=2)
    (signed,) = _signed(_run("sign", "--key", str(key_file), given=pretty))
    assert accept_submission(signed, lambda: "", signed=True).id


def test_a_nonce_that_is_given_stays(key_file: Path) -> None:
    given = json.dumps({**PAYMENT, "nonce": "mine"})
    (signed,) = _signed(_run("sign", "--key", str(key_file), given=given))
    assert signed["nonce"] == "mine"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ('{"recipient": "bob"}', "Line 1: amount is missing"),
        ('{"recipient": "bob", "amount": 1}\n{"amount": -1}', "Line 2: recipient is missing"),
        ("nonsense", "Line 1: "),
        ("{\nnonsense", "JSON"),
        ("[]", "must be a JSON object"),
        ('{"recipient": "bob", "amount": 1, "sender": "mallory"}', "not the address of this key"),
    ],
)
def test_a_bad_transaction_is_named_by_its_line(key_file: Path, given: str, reason: str) -> None:
    result = _run("sign", "--key", str(key_file), given=given)
    assert isinstance(result.exception, CannotSign)
    assert reason in str(result.exception)
    assert isinstance(result.exception, MinequeueError)


MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # what some editors put before the first character


def test_a_mark_at_the_start_of_a_file_is_no_character_of_it(
    key_file: Path, tmp_path: Path
) -> None:
    line = json.dumps({**PAYMENT, "nonce": "1"})
    plain = _run("sign", "--key", str(key_file), given=f"{line}\n{line}\n")
    key_file.write_text(MARK + key_file.read_text())
    marked = _run("sign", "--key", str(key_file), given=f"{MARK}{line}\n{line}\n")
    assert _signed(marked) == _signed(plain)
    source = tmp_path / "payments"
    source.write_text(f"{MARK}{line}\n")
    assert read_transactions(source) == [json.loads(line)]
    entry = str(make_entry("a", ["submit"], draw_token(), 0, 0))
    source.write_text(f"{MARK}{entry}\n")
    settings = Settings.from_environment({"MINEQUEUE_TOKENS": f"@{source}"})
    assert settings.tokens == Tokens.parse(entry)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_line_may_be_as_long_as_its_bound_and_no_longer(key_file: Path, end: str) -> None:
    line = json.dumps({**PAYMENT, "nonce": "1"})
    fitting = line + " " * (MAX_LINE_BYTES - len(line))
    assert len(_signed(_run("sign", "--key", str(key_file), given=fitting + end))) == 1
    result = _run("sign", "--key", str(key_file), given=f"{line}\n{fitting} {end}")
    assert str(result.exception) == f"Line 2 is longer than {MAX_LINE_BYTES} bytes; shorten it."


def test_lines_are_numbered_as_an_editor_does_whatever_is_blank_or_too_long() -> None:
    text = f"{MARK}a\r\n\n  \nb\n{'x' * (MAX_LINE_BYTES + 1)}\n{MARK}c".encode()
    assert [*number_lines(io.BytesIO(text))] == [
        (1, b"a"),
        (4, b"b"),
        (5, None),
        (6, f"{MARK}c".encode()),
    ]


def test_a_file_that_is_signed_again_under_its_name_is_the_same_transactions(
    key_file: Path,
) -> None:
    def sign(given: list[str], *options: str) -> list[str]:
        command = ["sign", "--key", str(key_file), *options]
        return [each["nonce"] for each in _signed(_run(*command, given="\n".join(given)))]

    plain, other = json.dumps(PAYMENT), json.dumps({**PAYMENT, "amount": 6})
    first = sign([plain, plain], "--name", "x")
    assert len({*first}) == 2
    corrected = sign([other, plain, plain], "--name", "x")
    assert corrected[1:] == first
    assert {*sign([plain, plain], "--name", "y")}.isdisjoint(corrected)
    assert sign([plain]) != sign([plain])
    assert sign(["{", plain[1:]], "--name", "x") == sign(["{", plain[1:], ""], "--name", "x")
