"""The function as AWS would run it: its zip file built and unpacked, a process of its own."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests import lambda_runtime

_BUILD_ZIP = Path(__file__).parents[1] / "compose" / "aws" / "build_zip.py"
# what Lambda has beside the function
_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")


def build_zip(output: Path) -> str:
    """Build it for this Python, as `make lambda` does, and give what was printed."""
    version = "{}.{}".format(*sys.version_info)
    done = subprocess.run(
        [
            *(sys.executable, str(_BUILD_ZIP)),
            *("--python", version, "--output", str(output)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Place:
    """A place where the function can run: what it consists of, what Lambda has, an empty home."""

    def __init__(self, directory: Path, archive: Path) -> None:
        self.function, self.runtime, self.home = (
            directory / name for name in ("task", "runtime", "home")
        )
        self.home.mkdir(parents=True)
        self.runtime.mkdir()
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(self.function)
        packages = Path(boto3.__file__).parents[1]
        for name in _RUNTIME:
            (self.runtime / name).symlink_to(packages / name)

    @contextmanager
    def start(self, **environment: str) -> Iterator["Function"]:
        """Start it; it has ended afterwards."""
        with subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", lambda_runtime.__file__),
                *(str(self.function), str(self.runtime)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env={"HOME": str(self.home), **environment},
        ) as process:
            yield Function(process)
            assert process.stdin is not None
            process.stdin.close()


class Function:
    """A running function.

    Attributes:
        start: what its runtime said of the start.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.start = self._read()

    def invoke(self, event: Any) -> dict[str, Any]:
        """Hand it an event, and give what its runtime said."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise AssertionError(f"The function died: {self._process.stderr.read()}")
        said: dict[str, Any] = json.loads(line)
        return said
