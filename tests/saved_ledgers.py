"""Ledgers that earlier versions left, and what their clients were answered."""

import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"
_DAY_MS = 86_400_000
# the last argument of the two commands by which a log says when a key expires, Unix ms
_EXPIRY = re.compile(rb"(PEXPIREAT\r\n\$\d+\r\n[^\r]+\r\n\$13\r\n|PXAT\r\n\$13\r\n)(\d{13})")


def read_facts(version: str, name: str) -> dict[str, Any]:
    """What the recipe of ``version`` kept of the ledger ``name``, and the tokens."""
    facts = json.loads((VECTORS / version / "facts.json").read_text())
    found: dict[str, Any] = facts[name]
    return found | {"tokens": facts["tokens"]}


def read_kept(version: str, file: str) -> bytes:
    return gzip.decompress((VECTORS / version / f"{file}.gz").read_bytes())


def lay_out(version: str, name: str, data_dir: Path) -> None:
    """Make ``data_dir`` one that this version left today, with all that it remembers for a while.

    What expires is moved by whole days, an even number of them: keys are named by their day's
    parity.
    """
    log = read_kept(version, f"{name}.aof")
    made_ms = read_facts(version, name)["tip"]["timestamp"]
    days = int(time.time() * 1000) // _DAY_MS - made_ms // _DAY_MS
    shift_ms = (days + days % 2) * _DAY_MS
    directory = data_dir / "ledger" / "appendonlydir"
    directory.mkdir(mode=0o700, parents=True)
    data_dir.chmod(0o700)
    (directory / "appendonly.aof.1.incr.aof").write_bytes(
        _EXPIRY.sub(lambda found: found[1] + b"%d" % (int(found[2]) + shift_ms), log)
    )
    (directory / "appendonly.aof.manifest").write_text(
        "file appendonly.aof.1.incr.aof seq 1 type i\n"
    )
