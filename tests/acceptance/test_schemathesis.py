"""The running service, attacked by schemathesis with what its document says and does not."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack

ROOT = Path(__file__).parents[2]
# of each operation in each phase; `make fuzz` says more
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "15")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "data", miners="1,1", web_processes="1")
    try:
        yield made.start()
    finally:
        made.stop()


def test_no_request_gets_a_5xx_or_an_answer_that_the_document_does_not_have(stack: Stack) -> None:
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{stack.url}/openapi.json"),
        *("--max-examples", EXAMPLES, "--seed", "1", "--suppress-health-check", "all"),
        "--no-color",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    sys.stdout.write(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout[-8000:]
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found
    assert found[1] == found[2]
    stack.wait_until_drained()
    stack.check()
