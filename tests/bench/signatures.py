"""Signatures verified a second: on one thread, and on two, which shows that the lock is let go."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from chain.signature import SecretKey, is_valid
from chain.transaction import accept_submission, sign_submission
from tests.bench.report import Figure, Report

ROUNDS = 7
COUNT = 2_000  # signatures of a round
BATCH = 10_000  # transactions of the largest request


def measure() -> Report:
    """Measure them."""
    key = SecretKey(b"\1" * 32)
    messages = [b"message %d" % number for number in range(COUNT)]
    signed = [(key.sign(message), message) for message in messages]

    def verify(pairs: list[tuple[str, bytes]]) -> None:
        assert all(is_valid(text, message, public_key=key.address) for text, message in pairs)

    with ThreadPoolExecutor(2) as pool:
        halves = [signed[::2], signed[1::2]]
        ones, twos = [], []
        for _ in range(ROUNDS):
            ones.append(_time(lambda: verify(signed)))
            twos.append(_time(lambda: list(pool.map(verify, halves))))
    fields = [
        json.loads(sign_submission({"recipient": "bob", "amount": n}, key, lambda: "n"))
        for n in range(BATCH)
    ]
    took_s = _time(lambda: [accept_submission(each, lambda: "", signed=True) for each in fields])
    return Report(
        "signatures",
        [
            Figure("verified on one thread", COUNT / median(ones), "/s"),
            Figure("verified on two threads", COUNT / median(twos), "/s"),
            Figure("two threads over one", median(ones) / median(twos), "x"),
            Figure(f"accepting {BATCH} signed transactions", took_s, "s"),
        ],
        [f"Medians of {ROUNDS} rounds of {COUNT}; accepting is checking, verifying and sealing."],
    )


def _time(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
