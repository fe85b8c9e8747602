"""The ledger's scripts, as Redis gets them: each with its keys and what it uses of the prelude.

The head of a script names its keys, in lines such as ``-- KEYS tip, records  hash``; two blanks end
the names. In the script each name is a local variable. A last name that ends in ``...`` stands for
any number of keys, and is a table. A script with a wrong head is refused when it is read.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from minequeue.chain.ledger.keys import CallKeys, Keys

_MANY = "..."
_HEAD_LINE = re.compile(r"^-- KEYS(.*)$", re.MULTILINE)
_PART_NAME = re.compile(r"^local (?:function )?(\w+)", re.MULTILINE)
_KNOWN = {
    *(name for name in vars(Keys("")) if not name.startswith("_")),
    *(name if kind is str else name + _MANY for name, kind in CallKeys.__annotations__.items()),
}


@dataclass(frozen=True, slots=True)
class Script:
    """A script.

    Attributes:
        source: what Redis gets; its lines have the numbers that they have in the file.
        sha: the source's SHA-1 in hex, by which it is called.
        keys: their names, in the order in which it gets them.
        has_many: whether the last of them stands for any number of keys.
    """

    source: str
    sha: str
    keys: Sequence[str]
    has_many: bool

    def find_keys(self, keys: Keys, given: Mapping[str, Any] | None = None) -> list[str]:
        """The keys of a call: those of the network, and those that are ``given``.

        Args:
            keys: of the network.
            given: see :class:`CallKeys`.

        Raises:
            KeyError: a key that has to be given is not.
        """
        known = {**vars(keys), **given} if given else vars(keys)
        found = list(map(known.__getitem__, self.keys))
        return [*found[:-1], *found[-1]] if self.has_many else found


@cache
def read_scripts() -> dict[str, Script]:
    """The scripts of ``lua/`` by their names.

    Raises:
        ValueError: one is wrong; see :func:`parse_script`.
    """
    found = {
        file.name.removesuffix(".lua"): file.read_text("utf-8")
        for file in resources.files("minequeue.chain.ledger").joinpath("lua").iterdir()
        if file.name.endswith(".lua")
    }
    prelude = found.pop("prelude")
    return {name: parse_script(name, text, prelude) for name, text in found.items()}


def parse_script(name: str, text: str, prelude: str) -> Script:
    """Put its keys, and the parts of ``prelude`` that it uses, before the first line of a script.

    Raises:
        ValueError: its head names no key, one that is unknown, one twice, or one that it does not
            use; or the script takes keys by their numbers.
    """
    words = set(re.findall(r"\w+", _fold(text)))
    named = [
        key for line in _HEAD_LINE.findall(text) for key in line.strip().split("  ")[0].split(", ")
    ]
    for fault in _find_faults(named, words):
        raise ValueError(f"chain/ledger/lua/{name}.lua {fault}")
    keys = [key.removesuffix(_MANY) for key in named]
    has_many = named[-1].endswith(_MANY)
    single = keys[:-1] if has_many else keys
    locals_ = [f"local {', '.join(single)} = unpack(KEYS)"] if single else []
    if has_many:
        locals_.append(f"local {keys[-1]} = {{unpack(KEYS, {len(keys)})}}")
    parts = [part for part in prelude.split("\n\n") if words.intersection(_PART_NAME.findall(part))]
    source = " ".join([*locals_, *map(_fold, parts), text])
    sha = hashlib.sha1(source.encode(), usedforsecurity=False)  # as Redis names scripts
    return Script(source, sha.hexdigest(), keys, has_many)


def _find_faults(named: Sequence[str], words: set[str]) -> Iterator[str]:
    if not named:
        yield "names no key"
    for place, key in enumerate(named):
        if key not in _KNOWN:
            yield f"names the key {key!r}, which is unknown to keys.py"
        if key in named[:place]:
            yield f"names the key {key} twice"
        if key.removesuffix(_MANY) not in words:
            yield f"names the key {key} and does not use it"
        if key.endswith(_MANY) and place + 1 < len(named):
            yield f"names a key after {key}"
    if "KEYS" in words:
        yield "takes keys by their numbers; its head has to name them"


def _fold(text: str) -> str:
    """The code of ``text`` on one line, without comments; no string in it may hold two dashes."""
    lines = (line.partition("--")[0].strip() for line in text.splitlines())
    return " ".join(filter(None, lines))
