"""Connections that are checked, on a server in this process."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from minequeue.chain.errors import LedgerUnavailable, UnsafeServer
from minequeue.chain.ledger import RedisClient, pool
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.pool import CHECK_PERIOD_S, Ask
from tests.separate_ledgers import make_fake_client


class Judge:
    """A check that answers what it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.warning = ""
        self.error: Exception | None = None
        self.asked = 0

    def __call__(self, ask: Ask) -> str:
        self.asked += 1
        assert ask("PING")
        if self.error:
            raise self.error
        return self.warning


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def redis_client(judge: Judge) -> RedisClient:
    made = RedisClient(make_fake_client(), wait_s=1)
    made.pool.add_check(judge)
    return made


def use(redis_client: RedisClient) -> None:
    redis_client.run(lambda client: client.incr("used"))


def count(redis_client: RedisClient) -> int:
    return int(redis_client.run(lambda client: client.get("used")) or 0)


def test_a_new_connection_is_checked_once_and_then_used(
    redis_client: RedisClient, judge: Judge
) -> None:
    use(redis_client)
    use(redis_client)
    assert (count(redis_client), judge.asked) == (2, 1)
    redis_client.client.connection_pool.disconnect()
    use(redis_client)
    assert judge.asked == 2


def test_a_refused_connection_is_not_used_and_is_checked_again_until_all_is_right(
    redis_client: RedisClient, judge: Judge
) -> None:
    judge.error = UnsafeServer("Set it right.")
    for asked in (1, 2, 3):
        with pytest.raises(LedgerUnavailable, match="Set it right"):
            use(redis_client)
        assert judge.asked == asked
    judge.error = None
    assert count(redis_client) == 0
    use(redis_client)
    assert count(redis_client) == 1


def test_an_open_connection_is_checked_again_when_its_check_is_old(
    redis_client: RedisClient, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(pool, "time", SimpleNamespace(monotonic=lambda: now))
    use(redis_client)
    judge.error = UnsafeServer("Set it right.")
    now += CHECK_PERIOD_S
    use(redis_client)
    assert judge.asked == 1
    now += 0.001
    with pytest.raises(UnsafeServer):
        use(redis_client)
    assert judge.asked == 2


def test_a_check_that_is_added_later_judges_open_connections_too(redis_client: RedisClient) -> None:
    use(redis_client)
    later = Judge()
    later.error = UnsafeServer("Set it right.")
    redis_client.pool.add_check(later)
    with pytest.raises(UnsafeServer):
        use(redis_client)


def test_scripts_and_listeners_use_checked_connections_too(
    redis_client: RedisClient, judge: Judge
) -> None:
    judge.error = UnsafeServer("Set it right.")
    with pytest.raises(UnsafeServer):
        redis_client.script(Keys("test"), "register_peers", [1])
    client: Any = redis_client.client  # redis leaves pubsub() untyped
    with pytest.raises(UnsafeServer):
        client.pubsub().subscribe("news")


def test_what_checks_say_is_logged_once_for_each_change(
    redis_client: RedisClient, judge: Judge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    def look() -> None:
        redis_client.client.connection_pool.disconnect()
        for _ in range(2):
            if judge.error:
                with pytest.raises(UnsafeServer):
                    use(redis_client)
            else:
                use(redis_client)

    look()
    judge.warning = "It does not tell."
    look()
    look()
    assert list(redis_client.pool.warnings) == ["It does not tell."]
    judge.warning, judge.error = "", UnsafeServer("Set it right.")
    look()
    judge.error = None
    look()
    assert not redis_client.pool.warnings
    own = [
        each.getMessage() for each in caplog.records if each.name == "minequeue.chain.ledger.pool"
    ]
    assert own == [
        "It does not tell.",
        "Set it right.",
        "The server's fault is gone; requests are accepted again.",
    ]
