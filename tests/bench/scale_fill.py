"""Filling a stack with mined transactions, through its HTTP and by its own workers."""

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.http import post_raw
from tests.stack import Stack

BATCH = 10_000  # the largest that the web tier takes by default
_MAX_BATCHES = 2  # batches under way: while one is read, the other is written to the queue
_MINED_S = 300  # the longest that mining the rest may take
_SAMPLE = 100  # of each batch so many ids are kept, to be asked for later


@dataclass(frozen=True, slots=True)
class Filling:
    """What was filled in.

    Attributes:
        ids: of some of the transactions, hex.
        took_s: until the last one was in a block, in seconds.
        submitted_s: until the last one was accepted.
    """

    ids: list[str]
    took_s: float
    submitted_s: float


def fill(stack: Stack, count: int) -> Filling:
    """Submit ``count`` transactions in batches and wait until all are mined."""
    began = time.perf_counter()
    sizes = [min(BATCH, count - start) for start in range(0, count, BATCH)]
    with ThreadPoolExecutor(_MAX_BATCHES) as pool:
        ids = [name for some in pool.map(lambda n: _submit(stack, n), sizes) for name in some]
    submitted_s = time.perf_counter() - began
    stack.wait_until_drained(_MINED_S)
    return Filling(ids, time.perf_counter() - began, submitted_s)


def make_transaction() -> dict[str, str | int]:
    """One with addresses that occur nowhere else, the worst case for compression."""
    return {"sender": secrets.token_hex(20), "recipient": secrets.token_hex(20), "amount": 1}


def _submit(stack: Stack, count: int) -> list[str]:
    body = json.dumps([make_transaction() for _ in range(count)]).encode()
    answer = post_raw(stack.url, body)
    assert answer.status == 202, answer
    # only the sample is taken apart: a client's reading is not what is measured
    return [receipt["id"] for receipt in answer.json()[:: max(1, count // _SAMPLE)]]
