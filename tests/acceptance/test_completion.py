"""`minequeue completion`: the shells themselves complete, each as a person uses it."""

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
# a command and an option, each begun and then completed; --help says which command that became
TYPED = "minequeue stat\t --js\t --help\n"
SHOWN = "Show the queue and its miners."
TIMEOUT_S = 30
PROMPT = "ready> "
LOAD = {
    "bash": 'eval "$(minequeue completion bash)"\n',
    "zsh": 'autoload -Uz compinit && compinit -u -D && eval "$(minequeue completion zsh)"\n',
}
COMMAND = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}


@contextmanager
def _terminal(shell: str, home: Path) -> Iterator[int]:
    """The shell at a terminal; the end at which one types and reads."""
    ours, its = os.openpty()
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TERM": "xterm",
        "PS1": PROMPT,
        "INPUTRC": os.devnull,
    }
    with subprocess.Popen(
        COMMAND[shell],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(its)
        try:
            yield ours
        finally:
            process.kill()
            os.close(ours)


def _read_until(terminal: int, wanted: str) -> str:
    deadline = time.monotonic() + TIMEOUT_S
    seen = ""
    while wanted not in seen:
        ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
        assert ready, f"no {wanted!r} within {TIMEOUT_S} s in {seen!r}"
        seen += os.read(terminal, 65536).decode(errors="replace")
    return seen


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_a_command_and_an_option_at_a_terminal(
    shell: str, tmp_path: Path
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed: apt-get install {shell}")
    with _terminal(shell, tmp_path) as terminal:
        _read_until(terminal, PROMPT)
        os.write(terminal, LOAD[shell].encode())
        _read_until(terminal, PROMPT)
        os.write(terminal, TYPED.encode())
        seen = _read_until(terminal, SHOWN)
    assert "No such" not in seen


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("minequeue stat", ["status"]),
        ("minequeue status --js", ["--json"]),
        ("minequeue key ", ["new", "show"]),
        ("minequeue completion ", ["bash", "fish", "zsh"]),
    ],
)
def test_fish_completes_commands_and_options(
    typed: str, expected: list[str], tmp_path: Path
) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish is not installed: apt-get install fish")
    done = subprocess.run(
        ["fish", "--no-config", "-c", f'minequeue completion fish | source; complete -C "{typed}"'],
        env={"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(line.partition("\t")[0] for line in done.stdout.splitlines()) == expected
