"""The URL of Redis: what it means, to every client, and what is shown of it."""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from minequeue.chain.ledger.redis_connection import (
    TcpConnection,
    TlsConnection,
    UnixConnection,
    shorten,
)
from minequeue.chain.ledger.redis_url import make_client, read, show, write_socket
from minequeue.compose.config.settings import BadSetting, Settings
from minequeue.compose.wiring.workers import make_celery
from minequeue.workers.runtime import transport
from tests.workers import make_settings

ODD_NAMES = [
    "a b", "a#b", "a?b", "a%25b", "a;b", "a\nb", "a&b=c", "ä", "a:b@c", "a+b", "a'\"b",
    "-a", "a\\b", "a~b", "a\udcffb",
]  # fmt: skip


def kept(parameters: dict[str, Any]) -> dict[str, Any]:
    names = "host", "port", "path", "db", "username", "password"
    return {name: parameters[name] for name in names if name in parameters}


@pytest.mark.parametrize(
    ("url", "kind", "expected"),
    [
        ("redis://h", TcpConnection, {"host": "h", "db": 0}),
        ("redis://h:1/2", TcpConnection, {"host": "h", "port": 1, "db": 2}),
        ("redis://h/2?db=3", TcpConnection, {"host": "h", "db": 3}),
        (
            "rediss://u:p%40%2F%23%3B@[::1]:1/0",
            TlsConnection,
            {"host": "::1", "port": 1, "db": 0, "username": "u", "password": "p@/#;"},
        ),
        (
            "redis://u:a;b@h",
            TcpConnection,
            {"host": "h", "db": 0, "username": "u", "password": "a;b"},
        ),
        ("unix:///s?db=4&password=p", UnixConnection, {"path": "/s", "db": 4, "password": "p"}),
        (
            "unix://u:p@/a%3Fb/s",
            UnixConnection,
            {"path": "/a?b/s", "db": 0, "username": "u", "password": "p"},
        ),
    ],
)
def test_ledger_and_celery_understand_a_url_alike(
    url: str, kind: type, expected: dict[str, Any]
) -> None:
    assert kept(read(url)) == expected
    ledgers = make_client(url).connection_pool
    assert kept(ledgers.connection_kwargs) == expected
    assert ledgers.connection_class is kind
    celerys = parameters_of_celery(url)
    assert kept(celerys) == expected
    assert issubclass(celerys["connection_class"], kind)


def parameters_of_celery(url: str) -> dict[str, Any]:
    """What Celery's connections are made of, by kombu's own way to them."""
    app = make_celery(make_settings(url))
    connection = app.connection_for_read()

    class Channel(transport.Channel):
        def __init__(self) -> None:
            self.connection = type("Transport", (), {"client": connection, "default_port": 0})()

    parameters = Channel()._connparams(asynchronous=True)
    assert parameters["socket_timeout"] == transport.ANSWER_S
    assert parameters["socket_connect_timeout"] == transport.CONNECT_S
    return parameters


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_sockets_path_may_hold_anything(name: str) -> None:
    path = Path("/data") / name / "valkey.sock"
    url = write_socket(path)
    assert read(url)["path"] == str(path)
    assert url.isprintable()
    assert Settings.from_environment({"MINEQUEUE_REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://h#x",
        "redis://h/#",
        "redis://h\n/0",
        "redis://h:port",
        "redis://[::1/0",
        "http://h",
        "/a/path",
        "redis://h/one",
        "redis://h/0?db=one",
        "redis://h/0?ssl_ca_certs=/ca.pem",
        "redis://h/0?socket_timeout=100",
        "redis://h/0?retry_on_timeout=yes",
        "rediss://h/0?ssl_cert_reqs=perhaps",
        "rediss://h/0?ssl_cert=x",
        "rediss://h/0?colour=red",
        "unix://data/valkey.sock",
        "unix://",
        "redis://h/0?protocol=4",
    ],
)
def test_what_one_client_would_not_understand_stops_the_start(url: str) -> None:
    with pytest.raises(BadSetting, match="MINEQUEUE_REDIS_URL"):
        Settings.from_environment({"MINEQUEUE_REDIS_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:s3cret@h:1/0",
        "redis://:s3cret@h:1/0",
        "rediss://u:s3cret@h/0?ssl_ca_certs=/ca.pem&ssl_password=s3cret",
        "unix://u:s3cret@/s?db=1",
        "unix:///s?db=1&password=s3cret",
        "redis://h/0?password=s3cret",
        "redis://u:s3cret;s3cret@h/0",
    ],
)
def test_a_password_is_shown_wherever_it_stands_in_no_url(url: str) -> None:
    assert "s3cret" in url
    assert "s3cret" not in show(url)
    assert "s3cret" not in repr(make_settings(url))
    app = make_celery(make_settings(url))
    told = app.connection_for_read()
    assert "s3cret" not in str(told.info()) + told.as_uri(include_password=True) + str(app.conf)
    assert show(show(url)) == show(url)


def test_what_holds_no_secret_is_shown_as_it_is() -> None:
    for url in ("redis://h:1/0", "unix:///a%20b/s?db=1", "rediss://h/0?ssl_ca_certs=/ca.pem"):
        assert show(url) == url


@pytest.mark.parametrize("url", ["rediss://u:p@h/0", "rediss://u:p@h/0?ssl_ca_certs=/ca.pem"])
def test_every_client_verifies_the_server_unless_the_url_says_otherwise(url: str) -> None:
    for parameters in (
        make_client(url).connection_pool.connection_kwargs,
        parameters_of_celery(url),
    ):
        options = {k: v for k, v in parameters.items() if k != "connection_class"}
        connection = TlsConnection(**options)
        assert (connection.cert_reqs.name, connection.check_hostname) == ("CERT_REQUIRED", True)
    lax = TlsConnection(
        **{
            k: v
            for k, v in read(f"{url.partition('?')[0]}?ssl_cert_reqs=none").items()
            if k != "connection_class"
        }
    )
    assert lax.cert_reqs.name == "CERT_NONE"


def test_a_path_at_the_bound_is_used_and_one_past_it_is_shortened(tmp_path: Path) -> None:
    room = 103 - len(str(tmp_path)) - 2
    fits = tmp_path / ("d" * (room - 1)) / "s"
    assert len(str(fits)) == 103
    assert shorten(str(fits)) == str(fits)
    past = tmp_path / ("d" * room) / "s"
    past.parent.mkdir()
    past.write_text("here")
    short = shorten(str(past))
    assert len(short) <= 103
    assert Path(short).read_text() == "here"
    assert shorten(str(past)) == short


def test_a_short_name_follows_no_variable_of_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / ("d" * 100) / "s")
    short = shorten(path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert shorten(path) == short


def test_a_directory_of_links_that_is_open_to_others_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 54321)
    links = Path("/tmp/minequeue-54321")
    links.mkdir()
    try:
        with pytest.raises(OSError, match="open to others"):
            shorten(str(tmp_path / ("d" * 100) / "s"))
    finally:
        links.rmdir()
