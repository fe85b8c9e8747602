"""A server that would not keep what it acknowledges is refused, until it is put right."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from minequeue.chain.errors import UnsafeServer
from minequeue.chain.ledger import RedisClient, open_redis
from minequeue.chain.ledger.pool import CHECK_PERIOD_S
from tests.ledgers import make_ledger
from tests.server import run_server
from tests.waiting import wait_for
from tests.web_clients import PLAIN, make_client

SENTENCE = "Nothing is accepted: the server would lose what it acknowledges; set {} in its "


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with run_server(tmp_path) as url:
        yield url


@pytest.fixture
def operator(url: str) -> Iterator[Any]:
    """Who sets the server."""
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
def client(url: str) -> FlaskClient:
    return make_client(make_ledger(open_redis(url, wait_s=2)))


def drop_connections(client: FlaskClient) -> None:
    redis_client: RedisClient = client.application.extensions["minequeue"].ledger.redis
    redis_client.client.connection_pool.disconnect()


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("appendonly", "yes", "no"),
        ("appendfsync", "always", "everysec"),
        ("no-appendfsync-on-rewrite", "no", "yes"),
        ("maxmemory-policy", "noeviction", "allkeys-lru"),
    ],
)
def test_a_server_that_would_lose_something_is_503_until_it_is_put_right(
    client: FlaskClient, operator: Any, name: str, right: str, wrong: str
) -> None:
    operator.config_set(name, wrong)
    drop_connections(client)
    began = time.monotonic()
    refused = client.post("/chain/new", json=PLAIN)
    assert time.monotonic() - began < 1  # it is not asked again and again
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.json is not None
    assert SENTENCE.format(f"{name} {right} (it is {wrong})") in refused.json["detail"]
    assert client.get("/health/ready").status_code == 503
    operator.config_set(name, right)
    wait_for(lambda: client.get("/health/ready").status_code == 200, "the server to be safe", 10)
    assert client.post("/chain/new", json=PLAIN).status_code == 202


def test_a_server_that_is_set_wrong_while_it_runs_is_noticed_after_the_period(
    client: FlaskClient, operator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert client.get("/").status_code == 200
    operator.config_set("appendonly", "no")
    began = time.monotonic()
    wait_for(
        lambda: client.post("/chain/new", json=PLAIN).status_code == 503,
        "the refusal",
        CHECK_PERIOD_S + 1,
    )
    assert time.monotonic() - began < CHECK_PERIOD_S + 1
    sentence = SENTENCE.format("appendonly yes (it is no)")
    assert len([line for line in caplog.messages if sentence in line]) == 1
    time.sleep(2.1)  # the page looks so seldom
    assert sentence in client.get("/").text
    assert sentence in client.get("/events").text


def test_while_the_first_log_is_written_nothing_is_accepted(tmp_path: Path) -> None:
    with run_server(tmp_path, "--appendonly", "no") as url, redis.Redis.from_url(url) as operator:
        with operator.pipeline() as pipe:
            for number in range(2000):
                pipe.set(f"key {number}", "x")
            pipe.execute()
        operator.config_set("rdb-key-save-delay", 500)  # microseconds: a second in all
        operator.config_set("appendonly", "yes")
        redis_client = open_redis(url, wait_s=2)
        with pytest.raises(UnsafeServer, match="is just starting its append-only log"):
            redis_client.run(lambda client: client.ping())
        wait_for(lambda: not operator.info("persistence")["aof_rewrite_in_progress"], "the log", 20)
        assert redis_client.run(lambda client: client.ping())


@pytest.mark.parametrize(
    ("rights", "untold"),
    [
        (
            "+@all -config -info",
            "appendonly yes, appendfsync always, no-appendfsync-on-rewrite no, maxmemory-policy "
            "noeviction,",
        ),
        ("+@all -config", "appendfsync always, no-appendfsync-on-rewrite no,"),
    ],
)
def test_what_a_user_may_not_ask_is_told_to_the_operator(
    url: str,
    operator: Any,
    caplog: pytest.LogCaptureFixture,
    rights: str,
    untold: str,
) -> None:
    operator.execute_command("ACL", "SETUSER", "few", "on", "nopass", "~*", "&*", *rights.split())
    caplog.set_level(logging.WARNING)
    client = make_client(make_ledger(open_redis(f"unix://few:x@{url[7:]}", wait_s=2)))
    assert client.post("/chain/new", json=PLAIN).status_code == 202
    queue: Any = client.get("/queue").json
    [warning] = queue["warnings"]
    assert f"make sure that it has {untold}" in warning
    assert warning in client.get("/").text
    assert warning in client.get("/events").text
    assert caplog.messages.count(warning) == 1
    operator.execute_command("ACL", "SETUSER", "few", "+@all")
    drop_connections(client)
    queue = client.get("/queue").json
    assert queue["warnings"] == []
