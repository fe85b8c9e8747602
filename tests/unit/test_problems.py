"""Every problem has a line in docs/problems.md, with its status."""

import ast
import re
from pathlib import Path

from minequeue.web.replies import problems

ROOT = Path(__file__).parents[2]
# werkzeug's own refusals, which carry its names
OF_WERKZEUG = {"method-not-allowed": 405, "internal-server-error": 500}


def find_problems() -> dict[str, int]:
    """The names and statuses of all that the web tier makes."""
    found = {slug: status for status, slug, _ in problems._OF_ERRORS.values()}
    for file in (ROOT / "web").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                status, slug = node.args[:2]
                if isinstance(status, ast.Constant) and isinstance(slug, ast.Constant):
                    found[str(slug.value)] = int(str(status.value))
    return found


def test_the_document_lists_every_problem_and_no_other() -> None:
    text = (ROOT / "docs" / "problems.md").read_text("utf-8")
    listed = {
        name: int(status) for name, status in re.findall(r"^\| `([\w-]+)` \| (\d+) \|", text, re.M)
    }
    assert listed == {**find_problems(), **OF_WERKZEUG}
