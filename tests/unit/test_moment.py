import os
import time
from pathlib import Path

import pytest

from minequeue.chain.moment import is_ahead
from minequeue.workers.runtime.watchdog import is_fresh, liveness_file


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(999, False), (1000, False), (1001, True), (1050, True), (1051, False), (9999, False)],
)
def test_a_moment_is_ahead_within_its_length_and_over_beyond(moment: int, expected: bool) -> None:
    assert is_ahead(moment, 1000, 50) is expected


def test_a_sign_of_the_future_is_no_sign_of_life(tmp_path: Path) -> None:
    sign = liveness_file(tmp_path, "w")
    sign.touch()
    assert is_fresh(tmp_path, "w")
    os.utime(sign, (0, time.time() + 3600))
    assert not is_fresh(tmp_path, "w")
