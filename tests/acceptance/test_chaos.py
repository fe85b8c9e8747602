"""A few rounds of chaos, and what its parts must be able to do."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.faults.catalogue import make_all_faults
from tests.chaos.lost_replies import lose_replies
from tests.chaos.rounds import Rounds, draw_faults


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    played = Rounds(tmp_path_factory.mktemp("chaos"), print)
    yield played
    played.close()


# the last one has the uploads that break off and the second server
@pytest.mark.timeout(300)  # a round may start a stack twice, on a machine that is busy with others
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 8])
def test_after_a_round_of_faults_all_that_was_accepted_is_in_the_chain_once(
    rounds: Rounds, seed: int
) -> None:
    found = rounds.play(seed)
    assert found["accepted"] == found["mined"] > 0
    if os.environ.get("CI"):
        assert not rounds.figures.not_covered
    struck = rounds.figures.struck | dict.fromkeys(rounds.figures.not_covered, 1)
    assert {fault.name for fault in draw_faults(seed)[1]} <= struck.keys()


def test_a_reply_that_is_lost_after_its_script_ran_doubles_nothing(tmp_path: Path) -> None:
    found = lose_replies(300, tmp_path)
    assert sum(found["lost_replies"].values()) >= 300


def test_sixteen_seeds_in_a_row_cover_every_fault() -> None:
    drawn = {fault.name for seed in range(7, 23) for fault in draw_faults(seed)[1]}
    assert drawn == {fault.name for fault in make_all_faults()}
