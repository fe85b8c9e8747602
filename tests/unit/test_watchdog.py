"""When a worker counts as hung, and what happens then."""

import logging
import os
import time
from pathlib import Path

import pytest

from minequeue.chain.ledger import Ledger
from minequeue.compose.config.settings import Settings
from minequeue.compose.wiring import workers as wiring
from minequeue.workers.runtime.self_test import SelfTest
from minequeue.workers.runtime.ticks import CALL_S, SLOW_S, Ticks
from minequeue.workers.runtime.transport import ANSWER_S, CONNECT_S, RETRY_S
from minequeue.workers.runtime.watchdog import (
    FRESH_S,
    HUNG_S,
    LOST_S,
    STOP_S,
    STUCK_S,
    Watchdog,
    is_fresh,
    liveness_file,
)
from tests.separate_ledgers import make_separate_ledger
from tests.workers import make_settings


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


CONNECTION = object()


def make_self_test() -> tuple[SelfTest, Clock]:
    """The self-test of a consumer that is connected."""
    clock = Clock()
    self_test = SelfTest(clock)
    self_test.note_connection(CONNECTION)
    return self_test, clock


def test_a_heart_is_silent_from_a_pulse_that_does_not_come_back() -> None:
    self_test, clock = make_self_test()
    clock.now_s += 60
    self_test.note_connection(CONNECTION)
    assert self_test.silent_s == 0
    self_test.note_sent()
    clock.now_s += 2
    self_test.note_sent()
    clock.now_s += 1
    self_test.note_connection(CONNECTION)
    assert self_test.silent_s == 3
    self_test.note_answer()
    assert self_test.silent_s == 0


def test_while_a_tick_waits_for_redis_nobody_falls_silent() -> None:
    self_test, clock = make_self_test()
    self_test.note_sent()
    clock.now_s += 60
    assert self_test.silent_s == 0
    self_test.excuse()
    clock.now_s += 1
    self_test.note_connection(CONNECTION)
    assert self_test.silent_s == 0


def test_silence_counts_only_after_the_consumer_has_connected_again() -> None:
    self_test, clock = make_self_test()
    self_test.note_sent()
    for _ in range(9):
        clock.now_s += 1
        self_test.note_connection(None)
        self_test.note_sent()
        assert self_test.silent_s == 0
    assert self_test.lost_s == 8
    self_test.note_connection(object())
    assert (self_test.silent_s, self_test.lost_s) == (0, 0)
    self_test.note_sent()
    clock.now_s += 6
    self_test.note_connection(self_test._connection)
    assert self_test.silent_s == 6


def test_a_connection_that_is_another_than_before_begins_anew() -> None:
    self_test, clock = make_self_test()
    self_test.note_sent()
    clock.now_s += 4
    self_test.note_connection(object())
    assert self_test.silent_s == 0


def test_a_consumer_that_stays_without_a_connection_while_redis_answers_is_lost() -> None:
    tick = Ticks(None)
    clock = Clock()
    tick.self_test = SelfTest(clock)
    tick.self_test.note_connection(None)
    clock.now_s += LOST_S
    tick.self_test.note_connection(None)
    assert tick.find_fault() is None
    clock.now_s += 0.5
    tick.self_test.note_connection(None)
    assert "has not connected for 10 s" in str(tick.find_fault())
    tick.self_test.excuse()  # Redis is away
    assert tick.find_fault() is None


def test_the_limits_of_a_worker_know_of_each_other() -> None:
    send_s = CONNECT_S + ANSWER_S
    # the calls of a tick: it says that it lives, reads the queue, and sends a wake-up and a
    # self-test message
    assert 3 * CALL_S + 2 * send_s < STUCK_S
    # a tick that is held against the consumer, the pause, and the next
    assert HUNG_S > 2 * SLOW_S
    # the last try that failed, the pause, and the one that finds Redis
    assert 2 * send_s + RETRY_S < LOST_S
    # a worker that stops says so by two calls
    assert CALL_S + send_s < STOP_S
    # an outage must be noticed before its end is held against anybody
    assert FRESH_S > HUNG_S


@pytest.mark.parametrize(("wait", "expected"), [("0.5", 0.5), ("2", 2.0), ("20", 2.0)])
def test_a_worker_waits_for_redis_no_longer_than_its_tick_may(
    wait: str, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def make_ledger(settings: Settings) -> Ledger:
        waits.append(settings.redis_wait)
        return make_separate_ledger()

    monkeypatch.setattr(wiring, "make_ledger", make_ledger)
    app = wiring.make_celery(make_settings("redis://h", redis_wait=wait))
    app.crew.get()
    app.resolver.get()
    assert waits == [expected, expected]


def test_a_pulse_is_waited_for_only_for_a_while() -> None:
    clock = Clock()
    self_test = SelfTest(clock)
    assert not self_test.is_waiting(2)
    self_test.note_sent()
    clock.now_s += 1.9
    assert self_test.is_waiting(2)
    clock.now_s += 0.1
    assert not self_test.is_waiting(2)
    self_test.note_sent()
    self_test.note_answer()
    assert not self_test.is_waiting(2)


def _watch(
    faults: list[str | None], sign: Path, *, is_proven: bool = True
) -> tuple[Watchdog, list[int]]:
    ends: list[int] = []
    return Watchdog(lambda: faults[0], lambda: is_proven, sign, lambda: ends.append(1)), ends


def test_as_long_as_nothing_is_wrong_the_sign_of_life_is_kept_fresh(tmp_path: Path) -> None:
    sign = liveness_file(tmp_path / "alive", "worker@host")
    watchdog, ends = _watch([None], sign)
    assert not is_fresh(tmp_path / "alive", "worker@host")
    watchdog.look()
    assert is_fresh(tmp_path / "alive", "worker@host")
    assert is_fresh(tmp_path / "alive", None)
    assert not is_fresh(tmp_path / "alive", "another@host")
    assert ends == []


def test_before_it_has_ever_worked_a_worker_gives_no_sign(tmp_path: Path) -> None:
    watchdog, ends = _watch([None], liveness_file(tmp_path, "w"), is_proven=False)
    watchdog.look()
    assert not is_fresh(tmp_path, "w")
    assert ends == []


def test_an_earlier_workers_sign_does_not_count_for_a_later_one(tmp_path: Path) -> None:
    watchdog, _ = _watch([None], liveness_file(tmp_path, "w"))
    watchdog.look()
    assert is_fresh(tmp_path, "w", since=time.time() - 5)
    assert not is_fresh(tmp_path, "w", since=time.time() + 1)


def test_a_fault_ends_the_worker_and_its_sign_grows_old(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[str | None] = [None]
    sign = liveness_file(tmp_path, "w")
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
    sign = liveness_file(tmp_path, "w")
    watchdog, _ = _watch([None], sign)
    watchdog.start()
    watchdog.look()
    watchdog.stop()
    assert not sign.exists()


def test_a_sign_that_cannot_be_left_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    watchdog, ends = _watch([None], liveness_file(tmp_path / "file", "w"))
    watchdog.look()
    assert "no liveness file" in caplog.text
    assert ends == []
