"""Threads that call one thing again and again."""

import logging
from threading import Event

import pytest

from minequeue.chain.background import Background


def test_a_fault_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    calls = 0
    went_on = Event()

    def act() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            went_on.set()
        raise ValueError("a fault")

    background = Background("of a test", act)
    background.start()
    assert went_on.wait(5)
    background.stop()
    assert [r.levelno for r in caplog.records if "'of a test'" in r.message][:2] == [
        logging.ERROR
    ] * 2


def test_one_call_serves_all_that_asked_before_it_began() -> None:
    calls = 0
    began, may_end, second = Event(), Event(), Event()

    def act() -> None:
        nonlocal calls
        calls += 1
        began.set()
        if calls == 2:
            second.set()
        assert may_end.wait(5)

    background = Background("of a test", act)
    background.request()
    assert began.wait(5)
    for _ in range(3):  # while the first is under way
        background.request()
    may_end.set()
    assert second.wait(5)
    background.stop()
    assert calls == 2


def test_what_is_delayed_is_served_together() -> None:
    calls: list[int] = []
    requested = 0
    called = Event()

    def act() -> None:
        calls.append(requested)
        called.set()

    background = Background("of a test", act, delay_s=0.1)
    for _ in range(5):
        requested += 1
        background.request()
    assert called.wait(5)
    background.stop()
    assert calls == [5]


def test_stopping_ends_the_thread_before_another_call() -> None:
    calls = 0

    def act() -> None:
        nonlocal calls
        calls += 1

    background = Background("of a test", act, pause_s=60)
    background.start()
    background.stop()  # returns at once, though the pause is a minute
    before = calls
    background.request()
    assert calls == before <= 1


def test_what_never_began_can_be_stopped() -> None:
    Background("of a test", Event().wait).stop()
