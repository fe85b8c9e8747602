"""The URL of Redis: made, read and shown here, for every client, so that all understand the same.

    redis://[USER:PASSWORD@]HOST[:PORT][/DB]     rediss:// for TLS
    unix://[USER:PASSWORD@]/PATH

Options after a ?: db, username, password, client_name, protocol, and for TLS ssl_* as redis-py has
them. TLS verifies the server's name and certificate, unless the URL says otherwise. What has a
meaning in a URL is written with a percent sign, in a path too.
"""

import os
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urlsplit

import redis
from redis.connection import parse_url

from minequeue.chain.ledger.redis_connection import TcpConnection, TlsConnection, UnixConnection

Client: TypeAlias = "redis.Redis"

_CLASSES = {"redis": TcpConnection, "rediss": TlsConnection, "unix": UnixConnection}
_OPTIONS = frozenset({"db", "username", "password", "client_name", "protocol"})
_SECRETS = frozenset({"password", "ssl_password"})


def read(url: str) -> dict[str, Any]:
    """What a connection is made of: arguments of redis-py, and ``connection_class``.

    Raises:
        ValueError: it is no such URL; the message holds no password.
    """
    if "#" in url or not url.isprintable():
        raise ValueError("write # as %23, and what cannot be seen with a percent sign too")
    url = _encode(url)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # is read late, and refused then
    except ValueError:
        # what was told would show a part of the password
        raise ValueError("no URL; in a password write / as %2F, # as %23, ? as %3F") from None
    if parts.scheme not in _CLASSES:
        raise ValueError(" or ".join(f"{scheme}://" for scheme in _CLASSES))
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _OPTIONS and not (name.startswith("ssl_") and parts.scheme == "rediss"):
            raise ValueError(f"no option {name!r} for {parts.scheme}://")
    found: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]  # redis-py
    parameters = {"db": 0, **found, "connection_class": _CLASSES[parts.scheme]}
    if parts.scheme == "unix":
        if parts.hostname or not parts.path:
            raise ValueError("unix:// and then the socket's absolute path")
        parameters["path"] = os.fsdecode(unquote_to_bytes(parts.path))
    elif parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        raise ValueError("a database is a number")
    _try(parameters)
    return parameters


def make_client(url: str, **options: Any) -> Client:
    """A client of the Redis at ``url``; nothing is sent yet.

    Args:
        url: see the module.
        options: of its connections, see :func:`chain.ledger.redis_connection.bounded`.

    Raises:
        ValueError: see :func:`read`.
    """
    return redis.Redis.from_pool(redis.ConnectionPool(**read(url), **options))


def write_socket(path: "os.PathLike[str]") -> str:
    """The URL of the Redis that listens on the socket at ``path``."""
    return f"unix://{quote(os.fsencode(path))}"


def show(url: str) -> str:
    """The URL without its secrets."""
    parts = urlsplit(_encode(url))
    _, at, host = parts.netloc.rpartition("@")
    query = [(name, "***" if name in _SECRETS else value) for name, value in parse_qsl(parts.query)]
    options = f"?{urlencode(query, safe='*/')}" if query else ""
    return f"{parts.scheme}://{at and '***@'}{host}{parts.path}{options}"


def _encode(url: str) -> str:
    """Without ;, which some readers take for the end of a path or of the whole URL."""
    return url.replace(";", "%3B")


def _try(parameters: dict[str, Any]) -> None:
    """Make a connection that is never used, to see that its options can be."""
    options = {name: value for name, value in parameters.items() if name != "connection_class"}
    try:
        parameters["connection_class"](**options)
    except (TypeError, redis.RedisError) as error:
        raise ValueError(str(error)) from None
