"""How fast `minequeue check` validates the chain of a node, in one process and in all.

The node is a stand-in that sends blocks made beforehand, so that what is measured is the check:
the command as a user starts it, from its start to its end.
"""

import subprocess
import sys
import time
from hashlib import sha256

from minequeue.compose.config.processors import count_processors
from tests.bench.report import Figure, Report
from tests.independent import make_block, make_reward, make_transaction
from tests.node import serve_chain, write_block

_BLOCKS = 100
_BLOCK_TRANSACTIONS = 5000  # the reward is one of them
_ADDRESSES = 1000
# below two on two processors: starting them, fetching and the stand-in take their share
_MIN_GAIN = 1.25
_ROUNDS = 3  # the best counts: what else runs here only ever slows


def measure() -> Report:
    """Time it with one process and with one on each processor, in turn."""
    processors = count_processors()
    transactions = _BLOCKS * (_BLOCK_TRANSACTIONS - 1)
    with serve_chain(_make_blocks()) as url:
        times = [(_time(url, 1), _time(url, processors)) for _ in range(_ROUNDS)]
    alone_s, shared_s = map(min, zip(*times, strict=True))
    return Report(
        "check",
        (
            Figure("one process", transactions / alone_s, "transactions/s"),
            Figure(
                f"{processors} processes",
                transactions / shared_s,
                "transactions/s",
                at_least=50_000,
            ),
            Figure(
                f"{processors} processes over one",
                alone_s / shared_s,
                "x",
                at_least=_MIN_GAIN if processors > 1 else None,
            ),
        ),
        (
            f"{transactions:,} transactions with addresses of 40 characters, "
            f"in blocks of {_BLOCK_TRANSACTIONS:,}; the best of {_ROUNDS} rounds.",
            "The stand-in for a node and the process that fetches share the processors with them.",
        ),
    )


def _make_blocks() -> list[bytes]:
    """A chain with hardly any work in it, as GET /chain writes each block; always the same."""
    addresses = [sha256(b"%d" % n).hexdigest()[:40] for n in range(_ADDRESSES)]
    block = make_block(None, [])
    written = [write_block(block)]
    for index in range(2, _BLOCKS + 2):
        body = [
            make_transaction(
                sender=addresses[n % _ADDRESSES],
                recipient=addresses[(7 * n + 1) % _ADDRESSES],
                amount=n,
                nonce=sha256(b"%d.%d" % (index, n)).hexdigest()[:32],
            )
            for n in range(_BLOCK_TRANSACTIONS - 1)
        ]
        block = make_block(block, [*body, make_reward(index)], bits=1)
        written.append(write_block(block))
    return written


def _time(url: str, processes: int) -> float:
    ours = ["--bits", "1", "--network", "test"]
    command = [
        sys.executable,
        "-m",
        "minequeue",
        "check",
        url,
        *ours,
        "--processes",
        str(processes),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
