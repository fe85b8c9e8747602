"""Threads that call one thing again and again."""

import logging
from threading import Event

import pytest

from minequeue.chain.background import Background


def test_a_fault_ends_nothing_and_is_logged_once_while_it_repeats(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = iter(["one", "one", None, "one", "two"])
    is_over = Event()

    def act() -> None:
        fault = next(faults, "over")
        if fault == "over":
            is_over.set()
        elif fault:
            raise ValueError(fault)

    background = Background("of a test", act)
    background.start()
    assert is_over.wait(5)
    background.stop()
    own = [record for record in caplog.records if "'of a test'" in record.message]
    assert [(r.levelno, str(r.exc_info and r.exc_info[1])) for r in own] == [
        (logging.ERROR, fault) for fault in ("one", "one", "two")
    ]


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
