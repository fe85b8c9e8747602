"""What only a checkout has: help has an example for make, and every mistake is one line."""

import re
import shlex
import sys
from inspect import cleandoc
from pathlib import Path

import pytest
from click.testing import CliRunner

from minequeue.compose.cli.main import cli, run_command
from tests.bench.__main__ import bench
from tests.chaos.__main__ import chaos
from tests.chaos.experiment import experiment
from tests.simulation.__main__ import simulation

TOOLS = {
    "bench": ("tests.bench", bench),
    "chaos": ("tests.chaos", chaos),
    "experiment": ("tests.chaos.experiment", experiment),
    "simulate": ("tests.simulation", simulation),
}
ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text("utf-8")

tools = pytest.mark.parametrize("name", TOOLS)


def _run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> object:
    """Run the tool as the shell does, and give its exit code."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as ended:
        run_command(TOOLS[name][1])
    return ended.value.code


@tools
def test_make_runs_it_and_the_command_that_is_installed_does_not(name: str) -> None:
    module = re.escape(TOOLS[name][0])
    rule = rf"^{name}: \.venv/\.installed-test\n\t@\$\(BIN\)/python -m {module} \$\(ARGS\)$"
    assert re.search(rule, MAKEFILE, re.MULTILINE)
    assert re.search(rf"^\| `make {name}\b", COMMANDS, re.MULTILINE)
    assert not any(name in command for command in cli.commands)


@tools
def test_the_example_of_its_help_is_a_command_line_of_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, tool = TOOLS[name]
    assert CliRunner().invoke(tool, ["--help"]).exit_code == 0
    paragraphs = cleandoc(tool.help or "").split("\n\n")
    (text,) = [p.removeprefix("Example: ") for p in paragraphs if p.startswith("Example: ")]
    make, target, words = shlex.split(text)
    assert (make, target) == ("make", name)
    ran: list[str] = []
    monkeypatch.setattr(tool, "callback", lambda **_: ran.append(name))
    result = CliRunner().invoke(tool, shlex.split(words.removeprefix("ARGS=")))
    assert (result.exit_code, result.output, ran) == (0, "", [name])


@tools
def test_an_option_that_there_is_not_is_one_line_and_exit_code_2(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, name, "--no-such-option") == 2
    said = capsys.readouterr()
    assert said.err == f"minequeue: No such option '--no-such-option'; see {name} --help.\n"
    assert said.out == ""


@pytest.mark.parametrize("line", ["bench no-such-benchmark", "simulate no-such-shape"])
def test_bad_usage_is_one_line_that_says_where_help_is_and_exit_code_2(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, *line.split()) == 2
    said = capsys.readouterr()
    assert re.fullmatch(r"minequeue: .+; see .+ --help\.\n", said.err)
    assert said.out == ""


@pytest.mark.parametrize(
    "line", ["simulate step --bits 0", "simulate step --minutes 1 --plot none/plot.svg"]
)
def test_an_error_is_one_line_and_exit_code_1(
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(monkeypatch, *line.split()) == 1
    assert re.fullmatch(r"minequeue: .+\n", capsys.readouterr().err)
