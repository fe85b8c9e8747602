"""A million mined transactions, backed up and restored into an empty server, and checked there.

Both servers are embedded ones that write to disk before each answer. The commands are those that a
user starts, each in a process of its own, whose memory is looked at while it runs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from minequeue.chain.ledger import Ledger, Submission, open_redis
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.protocol.transaction import accept_submission
from minequeue.workers.mining.miner import Miner
from tests.bench.report import Figure, Report
from tests.bench.scale_fill import make_transaction
from tests.ledgers import make_ledger, request_mine
from tests.server import run_server, url_of

TRANSACTIONS = 1_000_000
PENDING = 1000  # that wait, besides, and must be restored too
_RULES = Rules("backup", 1, 3600, 5000, 2 * 2**20)
_BOUNDS = Bounds(pending=10**7, pending_bytes=2**33)
_MIB = 2**20
_MAX_MEMORY = 150  # MiB of a command, whatever the chain's length
_LOOK_S = 0.02  # between two looks at its memory; the kernel's own peak begins with its parent's


@dataclass(frozen=True, slots=True)
class _Done:
    said: dict[str, Any]
    took_s: float
    peak_mib: float


def measure() -> Report:
    """Fill a server, export, export again from a cut file, import twice, check."""
    with tempfile.TemporaryDirectory(prefix="minequeue-backup-") as scratch:
        ours, theirs, file = Path(scratch, "ours"), Path(scratch, "theirs"), Path(scratch, "b")
        with _serve(ours) as ledger:
            began = time.perf_counter()
            _fill(ledger)
            filled_s = time.perf_counter() - began
            exported = _run(ours, "export", str(file))
            size = file.stat().st_size
            os.truncate(file, size // 2)
            resumed = _run(ours, "export", str(file), "--resume")
        with _serve(theirs):
            imported = _run(theirs, "import", str(file))
            again = _run(theirs, "import", str(file))
        checked = _run(
            theirs, "check", str(theirs), "--network", _RULES.network, "--bits", str(_RULES.bits)
        )
    _compare(exported.said, resumed.said, imported.said, again.said, checked.said)
    return Report(
        "backup",
        [
            Figure("submit and mine them", filled_s, "s"),
            *_figures("export", exported),
            Figure("  the file", size / _MIB, "MiB"),
            *_figures("export --resume of its first half", resumed),
            *_figures("import into an empty server", imported),
            *_figures("import again, nothing is new", again),
            Figure("check of the restored chain", checked.took_s, "s"),
        ],
        [
            f"{TRANSACTIONS:,} transactions with random addresses of 40 characters in blocks of "
            f"{_RULES.block_transactions:,}, and {PENDING:,} that wait with one mine request.",
            f"The restored chain has the exported tip, {checked.said['tip']}.",
        ],
    )


def _figures(name: str, done: _Done) -> Iterator[Figure]:
    yield Figure(name, done.took_s, "s")
    yield Figure("  peak memory", done.peak_mib, "MiB", at_most=_MAX_MEMORY)


@contextmanager
def _serve(directory: Path) -> Iterator[Ledger]:
    with run_server(directory) as url:
        yield make_ledger(open_redis(url, wait_s=60), _RULES, _BOUNDS)


def _fill(ledger: Ledger) -> None:
    per_block = _RULES.block_transactions
    for _ in range(TRANSACTIONS // per_block):
        _submit(ledger, per_block)
        request_mine(ledger)
        while ledger.queue.read().depth:
            Miner(ledger, search_with_hashlib, "node").run()
    _submit(ledger, PENDING)
    request_mine(ledger)


def _submit(ledger: Ledger, count: int) -> None:
    some = [
        accept_submission({**make_transaction(), "nonce": f"{n}"}, lambda: "") for n in range(count)
    ]
    ledger.mempool.submit([Submission(some)])


def _run(directory: Path, *arguments: str) -> _Done:
    """Run a command on the server of ``directory``, or where that has stopped, on its files."""
    command = [sys.executable, "-m", "minequeue", *arguments, "--json"]
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")},
        "MINEQUEUE_REDIS_URL": url_of(directory),
        "MINEQUEUE_NETWORK": _RULES.network,
        "MINEQUEUE_BITS": str(_RULES.bits),
    }
    began = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.Error):  # it ended meanwhile
                peak = max(peak, watched.memory_info().rss)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_S)
        took_s = time.perf_counter() - began
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode == 0, said
    return _Done(json.loads(said), took_s, peak / _MIB)


def _compare(
    exported: dict[str, Any],
    resumed: dict[str, Any],
    imported: dict[str, Any],
    again: dict[str, Any],
    checked: dict[str, Any],
) -> None:
    """See that nothing was lost on any way."""
    blocks = exported["blocks"]
    assert resumed == exported
    assert imported == {"blocks": blocks - 1, "known": 1, "jobs": 1, "transactions": PENDING}
    assert again == {"blocks": 0, "known": blocks, "jobs": 1, "transactions": PENDING}
    assert (checked["transactions"], checked["tip"]) == (TRANSACTIONS, exported["tip"])
