"""The policy: out at once, in after a quiet time, no swinging."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from minequeue.chain.scaling.backlog import OpenCandidate, Reading
from minequeue.chain.scaling.policy import Decision, Peaks, Policy, calculate_need, decide
from tests.ledgers import RULES
from tests.unit.test_backlog import EMPTY

# four fifths of the target are 10 s
POLICY = Policy(least=0, most=8, target_drain_s=12.5, quiet_s=30)
ONE_RATE = 16  # hashes a second with which a miner does one block's work a second
assert 1 << RULES.bits == ONE_RATE


def _reading(requests: int, at_s: float = 0, peaks: str = "") -> Reading:
    return replace(
        EMPTY,
        now_ms=round(1_000_000 + at_s * 1000),
        mine_requests=requests,
        miner_rate=ONE_RATE,
        peaks=peaks,
    )


@pytest.mark.parametrize(
    ("requests", "rate", "needed"),
    [
        (0, 16, 0),
        (1, 0, 1),
        (5, 0, 5),
        (99, 0, 8),
        (1, 1000, 1),
        (100, 16, 8),
        (30, 16, 3),
        (31, 16, 4),
        (80, 16, 8),
    ],
)
def test_as_many_miners_are_needed_as_drain_the_queue_in_time(
    requests: int, rate: int, needed: int
) -> None:
    reading = replace(EMPTY, mine_requests=requests, miner_rate=rate)
    assert calculate_need(reading, RULES, POLICY) == needed


def test_what_is_not_due_needs_nobody_and_what_is_begun_needs_one() -> None:
    young = replace(EMPTY, pending=1, pending_bytes=9, oldest_pending_ms=EMPTY.now_ms)
    assert calculate_need(young, RULES, POLICY) == 0
    begun = replace(EMPTY, candidate=OpenCandidate(b"", 0, "", b""), miner_rate=10**6)
    assert calculate_need(begun, RULES, POLICY) == 1


def _follow(policy: Policy, load: Sequence[tuple[float, int]]) -> list[Decision]:
    """What is decided at each moment (s) with so many mine requests queued."""
    decisions: list[Decision] = []
    for at_s, requests in load:
        peaks = decisions[-1].peaks if decisions else ""
        decisions.append(decide(_reading(requests, at_s, peaks), RULES, policy))
    return decisions


def test_scaling_out_happens_at_the_first_look() -> None:
    assert [d.wanted for d in _follow(POLICY, [(0, 0), (1, 55), (2, 80)])] == [0, 6, 8]


def test_scaling_in_waits_until_less_was_enough_for_the_quiet_time() -> None:
    load = [(0, 80), (1, 20), (29.9, 0), (30, 0), (30.9, 0), (31, 0)]
    assert [d.wanted for d in _follow(POLICY, load)] == [8, 8, 8, 2, 2, 0]


def test_a_pause_shorter_than_the_quiet_time_lets_nobody_go() -> None:
    load = [(t, 80 if t % 40 < 20 else 0) for t in range(400)]
    assert {d.wanted for d in _follow(POLICY, load)} == {8}


def test_only_those_who_have_something_to_do_are_woken() -> None:
    decision = _follow(POLICY, [(0, 80), (1, 0)])[-1]
    assert (decision.need, decision.wanted) == (0, 8)


def test_no_miner_that_is_kept_sleeps_while_a_block_is_due() -> None:
    peaks = decide(_reading(80), RULES, POLICY).peaks
    decision = decide(_reading(1, 20, peaks), RULES, POLICY)
    assert (decision.need, decision.wanted) == (8, 8)


@pytest.mark.parametrize(
    ("requests", "cost_s", "needed"),
    [
        (30, 0.0, 3),
        (30, 0.08, 4),  # a third of a second for each, of which 0.08 cannot be shared
        (30, 0.34, 9),  # cannot be done in time; three times the search over the cost
        (30, 1.0, 3),
        (10**6, 0.5, 6),
        (10**6, 0.001, 1000),
    ],
)
def test_no_miner_is_needed_that_cannot_shorten_the_queue(
    requests: int, cost_s: float, needed: int
) -> None:
    reading = replace(_reading(requests), block_cost_s=cost_s)
    assert calculate_need(reading, RULES, replace(POLICY, most=1000)) == needed


@pytest.mark.parametrize("least", [0, 1, 3])
def test_the_size_stays_between_least_and_most(least: int) -> None:
    policy = replace(POLICY, least=least)
    assert [d.wanted for d in _follow(policy, [(0, 0), (1, 10**6)])] == [least, 8]


@pytest.mark.parametrize("seed", range(20))
def test_the_size_is_the_largest_need_of_the_quiet_time_and_what_is_remembered_stays_small(
    seed: int,
) -> None:
    random, at_ms = Random(seed), 1_000_000
    peaks, seen = Peaks(), list[tuple[int, int]]()
    for _ in range(400):
        at_ms += random.randint(1, 4000)
        need = random.choice((0, 0, random.randint(0, 8)))
        peaks = Peaks.unpack(peaks.after(need, at_ms, 30_000).pack())
        seen.append((at_ms, need))
        window = [size for when, size in seen if when > at_ms - 30_000]
        certain = [size for when, size in seen if when > at_ms - 27_000]
        # renewing a peak is put off by a tenth of its time at most, and from four fifths of a peak
        # on a need counts as the peak
        assert max(certain) <= peaks.size
        assert peaks.size == 0 or 0.8 * peaks.size <= max(window)
        assert len(peaks.held) <= 8


def test_a_need_that_fluctuates_near_its_peak_lets_nobody_go_and_one_clearly_below_does() -> None:
    policy = replace(POLICY, most=1000)
    near = [(t, 1000 if t % 50 == 0 else 800) for t in range(200)]
    assert {d.wanted for d in _follow(policy, near)} == {100}
    below = [(0, 1000), *((t, 790) for t in range(1, 60))]
    assert [_follow(policy, below)[t].wanted for t in (29, 30, 59)] == [100, 79, 79]


def test_however_many_miners_there_are_few_peaks_are_remembered() -> None:
    policy = replace(POLICY, most=1000)
    falling = [(second / 50, 10_000 - 10 * second) for second in range(1000)]
    assert len(_follow(policy, falling)[-1].peaks) < 1000


def test_a_steady_need_is_not_written_anew_at_every_look() -> None:
    texts = [d.peaks for d in _follow(POLICY, [(t / 10, 80) for t in range(100)])]
    assert 2 <= len(set(texts)) <= 5
