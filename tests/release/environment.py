"""An environment with nothing but a distribution of minequeue and what that asks for."""

import os
import subprocess
import sys
from pathlib import Path

from tests.release import CHECKOUT
from tests.stack import Stack

# common names: in the directory where a user happens to be, their own packages may be called so
_NAMES = ("chain", "compose", "web", "workers")


class Environment:
    """A virtual environment at ``path``, of the interpreter ``python``, with ``distribution``.

    Of what that asks for by name it has the lowest versions or, as a user's, the newest.
    """

    def __init__(
        self, path: Path, python: str, distribution: Path, *, lowest: bool = False
    ) -> None:
        self.path = path
        self.python = path / "bin" / "python"
        _run(python, "-m", "venv", "--without-pip", str(path))
        # by what is here, so that the environment holds what was asked for and no pip
        install = ["pip", "--python", str(self.python), "install", "--disable-pip-version-check"]
        if lowest:
            # what the file names is direct; of a wheel only the wheel is
            named = ["--requirements", str(CHECKOUT / "setup.cfg")]
            install = ["uv", "pip", "install", "--python", str(self.python), *named]
            install += ["--resolution", "lowest-direct"]
        _run(sys.executable, "-m", *install, "--quiet", str(distribution))

    def ask(self, code: str) -> str:
        """What this code prints in it."""
        return _run(str(self.python), "-I", "-c", code).strip()


class InstalledStack(Stack):
    """A stack of what is installed in ``environment``, called in a directory of somebody else's."""

    def __init__(self, environment: Environment, directory: Path) -> None:
        super().__init__(directory / "data")
        self.command = (str(environment.path / "bin" / "minequeue"),)
        self.directory = directory / "project"
        for name in _NAMES:
            package = self.directory / name
            package.mkdir(parents=True)
            (package / "__init__.py").write_text("raise RuntimeError('not minequeue')")
        for name in [name for name in self.environment if name.startswith("PYTHON")]:
            del self.environment[name]


def _run(*command: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout
