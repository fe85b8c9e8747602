"""When a worker asks the ECS agent for protection, and what faults of the agent do: nothing."""

import logging
import threading

import pytest

from minequeue.workers.runtime.ecs_protection import AgentFailed, Protection


class Agent:
    """An agent that notes what it was asked for, and fails while it is told to."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.fails = False

    def protect(self, wanted: bool) -> None:
        self.asked.append(wanted)
        if self.fails:
            raise AgentFailed("it is tired")


class Scene:
    """A worker whose seconds the test counts."""

    def __init__(self) -> None:
        self.agent = Agent()
        self.now_s = 1000.0
        self.protection = Protection(self.agent.protect, lambda: self.now_s)
        # as tell() does, with no thread of its own
        self.protection._background._thread = threading.current_thread()

    def pass_seconds(self, seconds: int, *, is_mining: bool) -> list[bool]:
        """What the agent was asked for in so many ticks."""
        self.agent.asked.clear()
        for _ in range(seconds):
            self.protection.tell(is_mining=is_mining)
            self.protection.keep()
            self.now_s += 1
        return list(self.agent.asked)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_worker_that_does_not_mine_asks_for_nothing(scene: Scene) -> None:
    assert scene.pass_seconds(300, is_mining=False) == []


def test_a_worker_that_mines_is_protected_once_and_gives_it_up_when_idle(scene: Scene) -> None:
    assert scene.pass_seconds(60, is_mining=True) == [True]
    assert scene.pass_seconds(14, is_mining=False) == []
    assert scene.pass_seconds(60, is_mining=False) == [False]


def test_a_gap_between_two_runs_does_not_count_as_idle(scene: Scene) -> None:
    assert scene.pass_seconds(5, is_mining=True) == [True]
    assert scene.pass_seconds(10, is_mining=False) == []
    assert scene.pass_seconds(5, is_mining=True) == []


def test_the_protection_of_long_work_is_renewed_before_it_expires(scene: Scene) -> None:
    assert scene.pass_seconds(5 * 60, is_mining=True) == [True] * 3


def test_an_agent_that_fails_is_asked_again_after_a_while(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.agent.fails = True
    with caplog.at_level(logging.WARNING):
        assert scene.pass_seconds(30, is_mining=True) == [True] * 3
    assert "it is tired" in caplog.text
    scene.agent.fails = False
    assert scene.pass_seconds(30, is_mining=True) == [True]


def test_protection_that_could_not_be_given_up_is_given_up_later(scene: Scene) -> None:
    scene.pass_seconds(1, is_mining=True)
    scene.agent.fails = True
    assert scene.pass_seconds(20, is_mining=False) == [False]
    scene.agent.fails = False
    assert scene.pass_seconds(20, is_mining=False) == [False]


def test_who_tells_does_not_wait_for_an_agent_that_hangs() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hang(_wanted: bool) -> None:
        asked.set()
        go_on.wait()

    protection = Protection(hang)
    protection.tell(is_mining=True)
    assert asked.wait(5)
    protection.tell(is_mining=True)  # it would hang here
    go_on.set()
