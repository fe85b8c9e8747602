"""What a miner claims, by what it measured."""

import pytest

from minequeue.workers.mining.pace import MAX_RANGE_S, SLICE_S, Pace

RATE = 90_000_000  # nonces a second


def make_pace(claim_s: float = 0.0) -> Pace:
    pace = Pace()
    pace.note_search(RATE, 1.0)
    if claim_s:
        pace.note_claim(claim_s)
    return pace


def choose_range_s(pace: Pace, bits: int, miners: int = 1) -> float:
    return pace.choose_count(bits, miners * RATE) / RATE


def test_claims_cost_one_percent_of_a_search_that_takes_long() -> None:
    assert choose_range_s(make_pace(0.001), 32) == pytest.approx(0.1)
    assert choose_range_s(make_pace(0.003), 32) == pytest.approx(0.3)


def test_a_range_is_no_longer_than_a_search_in_vain_may_be() -> None:
    assert choose_range_s(make_pace(MAX_RANGE_S / 100), 32) == pytest.approx(MAX_RANGE_S)
    assert choose_range_s(make_pace(1.0), 32) == pytest.approx(MAX_RANGE_S)


def test_a_range_is_ten_blocks_at_most_of_all_miners_at_work() -> None:
    pace = make_pace(0.005)
    assert choose_range_s(pace, 20) == pytest.approx(10 * 2**20 / RATE, rel=1e-6)
    assert choose_range_s(pace, 20, miners=4) == pytest.approx(10 * 2**20 / RATE / 4, rel=1e-6)


def test_a_range_has_a_nonce_at_least() -> None:
    assert make_pace(0.001).choose_count(0, 1000 * RATE) == 1


def test_a_claim_that_took_no_time_leaves_a_range_of_a_slice() -> None:
    assert choose_range_s(make_pace(1e-9), 32) == pytest.approx(SLICE_S)


def test_a_search_is_looked_after_every_slice() -> None:
    assert make_pace().choose_slice() == RATE * SLICE_S


def test_a_miner_that_knows_nothing_yet_claims_and_searches_alike() -> None:
    assert Pace().choose_count(32, RATE) == Pace().choose_slice()


def test_a_short_search_changes_the_speed_little() -> None:
    pace = make_pace()
    pace.note_search(1, 0.001)
    assert pace.rate == pytest.approx(RATE, rel=0.02)


def test_costs_follow_what_is_measured_and_one_slow_moment_changes_them_little() -> None:
    pace = make_pace(0.001)
    pace.note_claim(0.002)
    assert pace.claim_s == pytest.approx(0.0011)
    for _ in range(100):
        pace.note_claim(0.002)
    assert pace.claim_s == pytest.approx(0.002, rel=1e-3)
