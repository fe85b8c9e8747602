"""What CONTRIBUTING.md tells people to run and to open is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line for block in BLOCKS for line in block.splitlines() if line.startswith(("make ", ".venv/"))
]
# that the whole page names, in backticks or as links, and that look like a path of the project
PATHS = {
    path
    for found in re.findall(r"`([\w./-]+/[\w./-]*)`|\]\(([\w./-]+)\)", PAGE)
    for path in found
    if path and not path.startswith(("dist/", "site/", ".venv"))
}


def test_the_page_has_commands_and_paths() -> None:
    assert len(COMMANDS) > 8
    assert len(PATHS) > 20


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_what_there_is(command: str) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(arguments) <= set(targets)
        return
    assert (BIN / Path(program).name).is_file()
    for argument in arguments:
        assert "/" not in argument or (ROOT / argument).exists()


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_tests_of_one_file_run_alone() -> None:
    (command,) = [line for line in COMMANDS if line.endswith(".py")]
    program, *arguments = shlex.split(command)
    done = subprocess.run(
        [str(BIN / Path(program).name), *arguments, "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed in " in done.stdout
