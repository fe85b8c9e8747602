"""What is made of what a server tells, where no such server can be had here."""

from typing import Any

import pytest
import redis

from minequeue.chain.errors import UnsafeServer
from minequeue.chain.ledger.durability import REQUIRED, check_durability
from minequeue.chain.ledger.pool import Ask

INFO = {"redis_version": "7.2.4", "aof_enabled": "1", "maxmemory_policy": "noeviction"}
UNKNOWN = redis.ResponseError("unknown command 'CONFIG', with args beginning with: 'GET'")
DENIED = redis.exceptions.NoPermissionError("User minequeue has no permissions to run it")


def tell(info: dict[str, str] | Exception, config: dict[str, str] | Exception) -> Ask:
    """A server that tells so much."""

    def ask(*words: str) -> Any:
        answer = info if words == ("INFO",) else config
        if isinstance(answer, Exception):
            raise answer
        if words == ("INFO",):
            return "\r\n".join(["# Server", *(f"{k}:{v}" for k, v in answer.items())]).encode()
        assert words[:2] == ("CONFIG", "GET")
        return {k.encode(): v.encode() for k, v in answer.items() if k in words}

    return ask


def test_a_server_that_keeps_everything_is_not_warned_of() -> None:
    assert check_durability(tell(INFO, REQUIRED)) == ""


def test_memorydb_keeps_its_log_elsewhere_and_is_not_warned_of() -> None:
    memorydb = {**INFO, "os": "Amazon MemoryDB", "aof_enabled": "0"}
    assert check_durability(tell(memorydb, UNKNOWN)) == ""
    with pytest.raises(UnsafeServer, match=r"policy noeviction \(it is volatile-lru"):
        check_durability(tell({**memorydb, "maxmemory_policy": "volatile-lru"}, UNKNOWN))


def test_any_other_managed_server_is_taken_at_its_word() -> None:
    cache = {**INFO, "os": "Amazon ElastiCache", "aof_enabled": "0"}
    with pytest.raises(UnsafeServer, match=r"appendonly yes \(it is no"):
        check_durability(tell(cache, UNKNOWN))


@pytest.mark.parametrize("refusal", [UNKNOWN, DENIED])
def test_what_may_not_be_asked_is_warned_of(refusal: Exception) -> None:
    nothing = check_durability(tell(refusal, refusal))
    assert all(f"{name} {value}" in nothing for name, value in REQUIRED.items())
    some = check_durability(tell(INFO, refusal))
    assert "appendfsync always" in some
    assert "appendonly yes" not in some


def test_a_server_that_cannot_answer_now_is_not_taken_for_one_that_may_not() -> None:
    busy = redis.ResponseError("BUSY Valkey is busy running a script.")
    with pytest.raises(redis.ResponseError, match="BUSY"):
        check_durability(tell(INFO, busy))


@pytest.mark.parametrize("version", ["7.0.0", "7.0.15", "8.2.1", "10.0.0"])
def test_the_least_version_is_enough(version: str) -> None:
    assert check_durability(tell({**INFO, "redis_version": version}, REQUIRED)) == ""


@pytest.mark.parametrize("version", ["6.2.14", "2.8.24", "6.9"])
def test_an_older_version_is_refused_and_the_least_is_named(version: str) -> None:
    with pytest.raises(UnsafeServer, match=rf"version {version}; use Redis 7\.0 or later"):
        check_durability(tell({**INFO, "redis_version": version}, REQUIRED))


def test_everything_that_is_wrong_is_named_at_once() -> None:
    wrong = {**REQUIRED, "appendfsync": "everysec", "appendonly": "no"}
    with pytest.raises(UnsafeServer) as refused:
        check_durability(tell({**INFO, "aof_enabled": "0"}, wrong))
    assert str(refused.value) == (
        "Nothing is accepted: the server would lose what it acknowledges; set appendonly yes (it "
        "is no) and appendfsync always (it is everysec) in its configuration."
    )
