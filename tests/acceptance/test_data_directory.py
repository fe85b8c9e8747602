"""A data directory of any name and length: a whole stack works there, and other shells find it."""

from pathlib import Path

from tests.http import post
from tests.stack import Stack

ODD = "a b#c?d%25e;f\ng&h=i'j\"k"


def test_a_stack_works_where_the_path_is_odd_and_long(tmp_path: Path) -> None:
    outer = tmp_path / ("d" * 100)
    outer.mkdir()
    stack = Stack(outer / ODD, miners="1,1", web_processes="1")
    try:
        stack.start()
        assert post(stack.url, {"sender": "a", "recipient": "b", "amount": 1}).status == 202
        stack.wait_until_drained()
        assert stack.check()["valid"]
        stack.environment["TMPDIR"] = str(tmp_path)
        done = stack.run("export", str(tmp_path / "blocks"), "--data-dir", str(stack.data_dir))
        assert done.returncode == 0, done.stderr
    finally:
        assert stack.stop() == 0
