"""When a worker counts as hung, and what happens then."""

import logging
import os
import time
from pathlib import Path

import pytest

from workers.pulse import Heart
from workers.watchdog import FRESH_S, Watchdog, is_fresh, sign_path


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_heart_is_silent_since_its_last_beat() -> None:
    clock = Clock()
    heart = Heart(clock)
    clock.now_s += 3
    assert heart.silent_s == 3
    heart.beat()
    assert heart.silent_s == 0


def test_a_pulse_is_waited_for_only_for_a_while() -> None:
    clock = Clock()
    heart = Heart(clock)
    assert not heart.is_waiting(2)
    heart.sent()
    clock.now_s += 1.9
    assert heart.is_waiting(2)
    clock.now_s += 0.1
    assert not heart.is_waiting(2)
    heart.sent()
    heart.beat()
    assert not heart.is_waiting(2)


def test_the_time_that_the_server_was_away_does_not_count() -> None:
    clock = Clock()
    heart = Heart(clock)
    heart.sent()
    clock.now_s += 60
    heart.excuse()
    assert heart.silent_s == 0
    assert not heart.is_waiting(2)


def _watch(
    faults: list[str | None], sign: Path, *, is_proven: bool = True
) -> tuple[Watchdog, list[int]]:
    ends: list[int] = []
    return Watchdog(lambda: faults[0], lambda: is_proven, sign, lambda: ends.append(1)), ends


def test_as_long_as_nothing_is_wrong_the_sign_of_life_is_kept_fresh(tmp_path: Path) -> None:
    sign = sign_path(tmp_path / "alive", "worker@host")
    watchdog, ends = _watch([None], sign)
    assert not is_fresh(tmp_path / "alive", "worker@host")
    watchdog.look()
    assert is_fresh(tmp_path / "alive", "worker@host")
    assert is_fresh(tmp_path / "alive", None)
    assert not is_fresh(tmp_path / "alive", "another@host")
    assert ends == []


def test_before_it_has_ever_worked_a_worker_gives_no_sign(tmp_path: Path) -> None:
    watchdog, ends = _watch([None], sign_path(tmp_path, "w"), is_proven=False)
    watchdog.look()
    assert not is_fresh(tmp_path, "w")
    assert ends == []


def test_an_earlier_workers_sign_does_not_count_for_a_later_one(tmp_path: Path) -> None:
    watchdog, _ = _watch([None], sign_path(tmp_path, "w"))
    watchdog.look()
    assert is_fresh(tmp_path, "w", since=time.time() - 5)
    assert not is_fresh(tmp_path, "w", since=time.time() + 1)


def test_a_fault_ends_the_worker_and_its_sign_grows_old(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[str | None] = [None]
    sign = sign_path(tmp_path, "w")
    watchdog, ends = _watch(faults, sign)
    watchdog.look()
    long_ago = time.time() - FRESH_S
    os.utime(sign, (long_ago, long_ago))
    faults[0] = "the consumer has read nothing for 9 s"
    with caplog.at_level(logging.CRITICAL):
        watchdog.look()
    assert ends == [1]
    assert not is_fresh(tmp_path, "w")
    assert "has read nothing for 9 s; this worker ends" in caplog.text


def test_a_watchdog_that_is_told_to_stop_leaves_no_sign_of_life(tmp_path: Path) -> None:
    sign = sign_path(tmp_path, "w")
    watchdog, _ = _watch([None], sign)
    watchdog.start()
    watchdog.look()
    watchdog.stop()
    assert not sign.exists()


def test_a_sign_that_cannot_be_left_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    watchdog, ends = _watch([None], sign_path(tmp_path / "file", "w"))
    watchdog.look()
    assert "no sign of life" in caplog.text
    assert ends == []
