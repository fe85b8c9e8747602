"""Every relative link of a document leads to a file, and to a heading of it."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("compose/**/*.md")]
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")
_NAMED = re.compile(r"(docs/[\w/-]+\.md)(?:#([\w-]+))?")  # in the code, by a path from the root


@cache
def read_anchors(document: Path) -> frozenset[str]:
    """Those of its headings, as GitHub makes them; the second of two equal ones ends with -1."""
    text = _FENCED.sub("", document.read_text("utf-8"))
    seen: Counter[str] = Counter()
    anchors = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return frozenset(anchors)


def find_fault(target: Path, anchor: str) -> str:
    """Why a link leads nowhere; "" if it does not."""
    if not target.exists():
        return "no such file"
    return "no such heading" if anchor and anchor not in read_anchors(target) else ""


def test_the_documents_are_found() -> None:
    assert len(DOCUMENTS) > 20


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file_and_a_heading(document: Path) -> None:
    links = _LINK.findall(_FENCED.sub("", document.read_text("utf-8")))
    faults = {
        f"{name}#{anchor}": fault
        for name, anchor in links
        if (fault := find_fault(document.parent / name if name else document, anchor))
    }
    assert faults == {}


def test_every_document_that_the_code_names_is_there() -> None:
    files = [
        path
        for folder in ("chain", "compose", "tests", "web", "workers")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in {".py", ".lua", ".yml", ".yaml", ".sh"}
    ]
    faults = {
        f"{path.relative_to(ROOT)}: {name}#{anchor}": fault
        for path in files
        for name, anchor in _NAMED.findall(path.read_text("utf-8"))
        if (fault := find_fault(ROOT / name, anchor))
    }
    assert len(files) > 100
    assert faults == {}
