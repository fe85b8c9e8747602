"""The steps in which a block is made, for tests of what happens between them."""

from minequeue.chain.ledger import ConnectResult, Ledger, OpenResult
from minequeue.chain.ledger.mining import Want
from minequeue.chain.protocol.block_template import Template
from minequeue.chain.protocol.proof_of_work import search_with_hashlib
from minequeue.chain.scaling.backlog import OpenCandidate, Reading


def build_template(ledger: Ledger) -> tuple[Reading, Template]:
    """What the next block could be, and the reading that it was built on."""
    reading = ledger.queue.read()
    template = ledger.mining.build(reading, "node")
    assert template is not None
    return reading, template


def open_candidate(ledger: Ledger) -> tuple[Reading, OpenCandidate]:
    """Offer a candidate, where there is none; the reading that holds it."""
    assert ledger.mining.open(*build_template(ledger)) is OpenResult.OPENED
    reading = ledger.queue.read()
    assert reading.candidate is not None
    return reading, reading.candidate


def claim_range(
    ledger: Ledger,
    candidate: OpenCandidate,
    count: int = 100,
    *,
    lease: str = "somebody",
    lease_ms: int = 5000,
    rate: int = 7,
) -> int | None:
    """Claim so many nonces; the first of them, None if they are not of ``candidate``."""
    reading, start = ledger.mining.claim(Want(count, lease, lease_ms, rate))
    return start if reading.candidate == candidate else None


def solve(candidate: OpenCandidate, start: int = 0) -> int:
    """The first nonce from ``start`` that meets the target."""
    nonce = search_with_hashlib(candidate.prefix, start, 100_000)
    assert nonce is not None
    return nonce


def connect_next(ledger: Ledger) -> ConnectResult:
    """Make the next block."""
    reading, candidate = open_candidate(ledger)
    return ledger.mining.connect(reading, candidate, solve(candidate))
