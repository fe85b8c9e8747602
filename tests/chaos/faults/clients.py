"""Faults of clients: their connections break in the middle of a body."""

import json
import socket
import struct
from random import Random
from urllib.parse import urlsplit

from tests.chaos.field import TIMEOUT_S, Field, Kind
from tests.http import TIMEOUT_S as ANSWER_S
from tests.http import post
from tests.waiting import wait_for

_UPLOADS = 6
_ENTRIES = 40  # of each
_RESET = struct.pack("ii", 1, 0)  # linger for no time: the peer gets RST


class CutUploads:
    """Batches break off in the middle; nothing of one counts unless it is repeated and accepted.

    Those that are never repeated are in no record, so that the judge calls an entry of theirs that
    is in the chain unexpected.
    """

    name = "cut uploads"
    kind: Kind = "own"

    def strike(self, field: Field, drawn: Random) -> None:
        refused = 0
        for number in range(_UPLOADS):
            key = f"cut {drawn.getrandbits(64)}"
            batch = [_payment(key, entry) for entry in range(_ENTRIES)]
            body = json.dumps(batch).encode()
            sent = body[: drawn.randrange(1, len(body))]
            if number % 2:
                _send_and_reset(field.stack.url, key, len(body), sent)
            else:
                refused += _send_and_end(field.stack.url, key, len(body), sent).startswith(
                    b"HTTP/1.1 400"
                )
            if number % 3 == 0:
                wait_for(lambda k=key, b=batch: _repeat(field, k, b), "its repetition", TIMEOUT_S)  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        assert refused, "no upload that broke off was refused"

    def heal(self, field: Field) -> None:
        """Nothing is left of it."""


def _payment(key: str, entry: int) -> dict[str, object]:
    return {"sender": "cut", "recipient": "nobody", "amount": 1, "nonce": f"{key} {entry}"}


def _connect(url: str, key: str, length: int, sent: bytes) -> socket.socket:
    """A connection on which the head of a request and ``sent`` of its body are under way."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 0), ANSWER_S)
    head = (
        f"POST /chain/new HTTP/1.1\r\nHost: {address.netloc}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    connection.sendall(head.encode() + sent)
    return connection


def _send_and_end(url: str, key: str, length: int, sent: bytes) -> bytes:
    """Say that nothing more comes; what is answered, if anything is."""
    with _connect(url, key, length, sent) as connection:
        connection.shutdown(socket.SHUT_WR)
        try:
            return connection.recv(4096)
        except OSError:  # the web tier was struck as well
            return b""


def _send_and_reset(url: str, key: str, length: int, sent: bytes) -> None:
    with _connect(url, key, length, sent) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _repeat(field: Field, key: str, batch: list[dict[str, object]]) -> bool:
    answer = post(field.stack.url, batch, Idempotency_Key=key)
    if answer.status != 202:
        return False
    receipts = answer.json()
    assert len({receipt["id"] for receipt in receipts}) == _ENTRIES, receipts
    for receipt in receipts:
        field.record.receipts[receipt["id"]] = field.record.now_s()
    return True
