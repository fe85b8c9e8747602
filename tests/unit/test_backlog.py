from contextlib import nullcontext
from dataclasses import replace

import pytest

from minequeue.chain.errors import InvalidBlock
from minequeue.chain.protocol.block_template import build_template
from minequeue.chain.protocol.header import genesis
from minequeue.chain.protocol.validation import MAX_AHEAD_MS, calculate_earliest, validate_header
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.backlog import OpenCandidate, Reading
from tests.ledgers import RULES

EMPTY = Reading(
    now_ms=1_000_000,
    pending=0,
    pending_bytes=0,
    oldest_pending_ms=None,
    mine_requests=0,
    oldest_job=None,
    oldest_job_ms=None,
    tip=genesis("test"),
    tip_work=1,
    candidate=None,
    miners=0,
    fleet=0,
    live_rate=0,
    miner_rate=0,
    kernels={},
    peaks="",
)
FRESH = replace(EMPTY, pending=1, pending_bytes=100, oldest_pending_ms=EMPTY.now_ms - 4999)


@pytest.mark.parametrize(
    ("reading", "due"),
    [
        (EMPTY, False),
        (FRESH, False),
        (replace(FRESH, oldest_pending_ms=EMPTY.now_ms - 5000), True),
        (replace(FRESH, pending=RULES.block_transactions), True),
        (replace(FRESH, pending_bytes=RULES.block_bytes), True),
        (replace(EMPTY, mine_requests=1), True),
        (replace(EMPTY, candidate=OpenCandidate(b"", 0, "", b"")), True),
        (replace(FRESH, oldest_pending_ms=EMPTY.now_ms), False),
        (replace(FRESH, oldest_pending_ms=EMPTY.now_ms + 1), True),
        (replace(EMPTY, mine_requests=1, earliest_ms=EMPTY.now_ms), True),
        (replace(EMPTY, mine_requests=1, earliest_ms=EMPTY.now_ms + 1), False),
    ],
    ids=[
        *("empty", "young", "old", "full", "full in bytes", "asked for", "under way"),
        *("new", "of the future", "can follow", "cannot follow"),
    ],
)
def test_a_block_is_due_when_asked_for_old_full_or_begun(reading: Reading, due: bool) -> None:
    assert backlog.is_block_due(reading, RULES) is due


def test_the_age_is_that_of_the_oldest_entry_of_either_list() -> None:
    now_ms = EMPTY.now_ms
    both = replace(EMPTY, oldest_pending_ms=now_ms - 2000, oldest_job_ms=now_ms - 3000)
    assert both.oldest_age_s == 3.0
    assert replace(EMPTY, oldest_pending_ms=now_ms + 50).oldest_age_s == 0.0


def test_requests_carry_transactions_and_the_rest_takes_blocks_of_its_own() -> None:
    reading = replace(EMPTY, pending=25, mine_requests=2)
    assert backlog.calculate_blocks(reading, RULES) == 3
    assert backlog.calculate_blocks(replace(reading, mine_requests=5), RULES) == 5
    assert backlog.calculate_hashes(reading, RULES) == 3 * 2**RULES.bits


def test_a_tip_of_the_future_is_warned_of_in_words_that_stay() -> None:
    bound_ms = EMPTY.now_ms + MAX_AHEAD_MS
    at_bound = replace(EMPTY, tip=replace(EMPTY.tip, timestamp=bound_ms))
    assert backlog.warn_of_tip(at_bound) is None
    past = replace(EMPTY, tip=replace(EMPTY.tip, timestamp=bound_ms + 1))
    warning = backlog.warn_of_tip(past)
    assert warning
    assert "no block can follow" not in warning
    assert backlog.warn_of_tip(replace(past, now_ms=past.now_ms - 5000)) == warning
    resting = replace(past, earliest_ms=past.now_ms + 3_600_000)
    assert "no block can follow it before 1970-01-01 01:16:40Z" in str(backlog.warn_of_tip(resting))
    far = replace(past, tip=replace(past.tip, timestamp=2**64 - 1), earliest_ms=2**63)
    assert str(2**63) in str(backlog.warn_of_tip(far))


def test_a_rest_ends_when_a_block_can_be_valid() -> None:
    tip = replace(EMPTY.tip, timestamp=10**12)
    earliest_ms = calculate_earliest([tip.timestamp])
    for now_ms, is_valid in ((earliest_ms - 1, False), (earliest_ms, True)):
        made = build_template(tip, [tip.timestamp], [], bits=0, recipient="n", now_ms=now_ms)
        with nullcontext() if is_valid else pytest.raises(InvalidBlock, match="over 2 hours"):
            validate_header(made.block.header, tip, [tip.timestamp], now_ms=now_ms, minimum_bits=0)


def test_a_rest_is_part_of_the_drain_time() -> None:
    reading = replace(EMPTY, mine_requests=10, miner_rate=8, fleet=2)
    resting = replace(reading, earliest_ms=EMPTY.now_ms + 7000)
    assert backlog.estimate_drain_s(resting, RULES) == 17.0


def test_the_drain_time_is_known_when_a_rate_is() -> None:
    reading = replace(EMPTY, mine_requests=10)
    assert backlog.estimate_drain_s(EMPTY, RULES) == 0.0
    assert backlog.estimate_drain_s(reading, RULES) is None
    assert backlog.estimate_drain_s(replace(reading, miner_rate=8, fleet=2), RULES) == 10.0
