"""Every command's help has an example that can be run, and every mistake is one line."""

import re
import shlex
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from minequeue.compose.cli.main import cli, main

_ASSIGNMENT = re.compile(r"[A-Z_]+=")
_ENDS = frozenset({"|", ">"})  # what follows is another command's, or the shell's


def _walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _walk(inner, (*path, name))


def _find(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


PATHS = [*_walk(cli, ())]
LEAVES = [path for path in PATHS if not isinstance(_find(path), click.Group)]


def _example(path: tuple[str, ...]) -> list[str]:
    """The words after minequeue."""
    paragraphs = cleandoc(_find(path).help or "").split("\n\n")
    (text,) = [p.removeprefix("Example: ") for p in paragraphs if p.startswith("Example: ")]
    words = shlex.split(text)
    while _ASSIGNMENT.match(words[0]):
        words.pop(0)
    assert words.pop(0) == "minequeue"
    end = next((i for i, word in enumerate(words) if word in _ENDS), len(words))
    return words[:end]


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Run the command as the shell does, and give its exit code."""
    monkeypatch.setattr(sys, "argv", ["minequeue", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_shows_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli, [*path, "--help"])
    assert shown.exit_code == 0
    assert re.search(r"^ +Example: (\w+=\S+ )*minequeue ", shown.output, re.MULTILINE)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_the_example_is_a_command_line_of_that_command(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[tuple[str, ...]] = []
    for leaf in LEAVES:
        monkeypatch.setattr(_find(leaf), "callback", lambda *, leaf=leaf, **_: ran.append(leaf))
    words = _example(path)
    monkeypatch.chdir(tmp_path)
    for word in words:
        if word.endswith(".ndjson"):  # what is to be read has to be there
            Path(word).touch()
    result = CliRunner().invoke(cli, words)
    assert (result.exit_code, result.output) == (0, "")
    assert len(ran) == 1
    assert ran[0][: len(path)] == path


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_an_option_that_there_is_not_is_one_line_and_exit_code_2(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, *path, "--no-such-option") == 2
    said = capsys.readouterr()
    where = " ".join(("minequeue", *path))
    assert said.err == (f"minequeue: No such option '--no-such-option'; see {where} --help.\n")
    assert said.out == ""


@pytest.mark.parametrize(
    "line",
    [
        "no-such-command",
        "key no-such-command",
        "tx",
        "mine --wait 99",
        "submit --amount x",
        "submit missing.ndjson",
        "submit --sender a --amount 1",
        "submit directory",
        "submit --receipts none/receipts",
        "token new --name x",
        "completion powershell",
        "check too many",
    ],
)
def test_bad_usage_is_one_line_that_says_where_help_is_and_exit_code_2(
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("directory").mkdir()
    assert _run(monkeypatch, *line.split()) == 2
    said = capsys.readouterr()
    assert re.fullmatch(r"minequeue: .+; see minequeue.* --help\.\n", said.err)
    assert said.out == ""


@pytest.mark.parametrize(
    "line",
    [
        "up --port x",
        "up --miners 3,1",
        "up --host 192.0.2.1",
        "up --data-dir /proc/none",
        "web --port 70000",
        "worker --check",
        "resolver --check",
        "check missing.json",
        "check directory",
        "check binary",
        "check http://[::1",
        "submit --url nonsense --recipient b --amount 1",
        "status --url http://[::1",
        "tx --url file:///etc/hostname x",
        "key new binary",
        "key new none/key",
        "key show missing.key",
        "key show binary",
        "sign --key missing.key binary",
        "token new --name a:b --scope submit",
        "proof verify missing.json",
        "proof verify binary",
        "burst http://192.0.2.1",
        "burst http://[::1",
        "burst --requests 0",
        "burst --file missing.ndjson",
    ],
)
def test_an_error_is_one_line_and_exit_code_1(
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("directory").mkdir()
    Path("binary").write_bytes(b"\xff\xfe")
    assert _run(monkeypatch, *line.split()) == 1
    said = capsys.readouterr()
    assert re.fullmatch(r"minequeue: .+\n", said.err)


def test_an_error_that_nobody_made_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(**_: object) -> None:
        raise OSError("not about a file")

    monkeypatch.setattr(_find(("status",)), "callback", break_down)
    monkeypatch.setattr(sys, "argv", ["minequeue", "status"])
    with pytest.raises(OSError, match="not about a file"):
        main()


def test_a_group_alone_shows_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "key") == 2
    assert "Make a key" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_asks_the_command(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert f"_MINEQUEUE_COMPLETE={shell}_complete" in result.output
