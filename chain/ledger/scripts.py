"""The ledger's scripts, as Redis gets them: each with what it uses of prelude.lua."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_PRELUDE = "prelude"
_NAME = re.compile(r"^local (?:function )?(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """A script.

    Attributes:
        source: what Redis gets; its lines have the numbers that they have in the file.
        sha: the source's SHA-1 in hex, by which it is called.
    """

    source: str
    sha: str


@cache
def read_scripts() -> dict[str, Script]:
    """The scripts of ``lua/`` by their names."""
    found = {
        file.name.removesuffix(".lua"): file.read_text("utf-8")
        for file in resources.files("minequeue.chain.ledger").joinpath("lua").iterdir()
        if file.name.endswith(".lua")
    }
    prelude = found.pop(_PRELUDE)
    return {name: parse_script(text, prelude) for name, text in found.items()}


def parse_script(text: str, prelude: str) -> Script:
    """Put those parts of ``prelude`` that are used before the first line of a script."""
    words = set(re.findall(r"\w+", _strip(text)))
    parts = [part for part in prelude.split("\n\n") if words.intersection(_NAME.findall(part))]
    source = " ".join([*map(_strip, parts), text])
    sha = hashlib.sha1(source.encode(), usedforsecurity=False)  # Redis calls a script by it
    return Script(source, sha.hexdigest())


def _strip(text: str) -> str:
    """Code on one line, without its comments; it has no text with two dashes."""
    lines = (line.partition("--")[0].strip() for line in text.splitlines())
    return " ".join(filter(None, lines))
