"""The tutorial's commands, run in its order as a reader runs them."""

import re
import subprocess
import sys
from pathlib import Path

from tests.stack import Stack

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
# what the reader has by the defaults: a node at port 3000 with its data in this directory
DEFAULT_URL = "http://127.0.0.1:3000"
CALLS_A_NODE = ("submit", "mine", "tx")
ELSEWHERE = f"""
minequeue() {{
  case "$1" in
    {"|".join(CALLS_A_NODE)}) command minequeue "$1" --url "$NODE" "${{@:2}}" ;;
    export) command minequeue "$@" --data-dir "$DATA" ;;
    *) command minequeue "$@" ;;
  esac
}}
"""


def read_commands() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_a_reader_gets_from_nothing_to_a_proven_transaction(stack: Stack, tmp_path: Path) -> None:
    blocks = read_commands()
    assert len(blocks) >= 9
    script = "\n".join(["set -eu", ELSEWHERE, *blocks]).replace(DEFAULT_URL, stack.url)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={
            **stack.environment,
            "http_proxy": "",  # curl follows it
            "PATH": f"{Path(sys.executable).parent}:{stack.environment['PATH']}",
            "NODE": stack.url,
            "DATA": str(stack.data_dir),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # the proof is valid, and the forged one is not
    assert len(re.findall(r"^valid: transaction [0-9a-f]{64}$", done.stdout, re.MULTILINE)) == 1
    assert re.search(r"^lost +0 ", done.stdout, re.MULTILINE)
    assert "Traceback" not in done.stderr
    assert (tmp_path / "backup.ndjson").read_text().splitlines()[-1].startswith('{"')
