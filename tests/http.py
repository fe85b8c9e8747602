"""HTTP from outside, with the standard library alone, and with anything in the body."""

import json
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 30


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(NoRedirects, urllib.request.ProxyHandler({}))


def request(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Ask once; a connection that fails is status 0."""
    asked = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with _opener.open(asked, timeout=TIMEOUT_S) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())
    except (urllib.error.URLError, HTTPException, OSError):
        return Answer(0, Message(), b"")


def post(url: str, value: Any, **headers: str) -> Answer:
    """Post JSON."""
    return post_raw(url, json.dumps(value).encode(), **headers)


def post_raw(url: str, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
    """Post these bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request("POST", f"{url}/chain/new", body, {"Content-Type": kind, **named})


def talk(url: str, *parts: bytes) -> bytes:
    """Send raw bytes on one connection and read until it is closed or silent."""
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    received = b""
    with socket.create_connection((address.hostname, address.port), TIMEOUT_S) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            deadline = time.monotonic() + TIMEOUT_S
            while time.monotonic() < deadline and (chunk := connection.recv(65536)):
                received += chunk
        except ConnectionError:
            pass  # the server may answer and close before it was sent everything
    return received
