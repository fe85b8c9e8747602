"""A connection as aiohttp uses one, with what aiohttp leaves open.

aiohttp bounds the lines of a head and their number, but not how much comes before the answer (1xx),
and it asks again by itself where a connection ends. Here a head has one bound for all of it, and an
exchange that fails is over.
"""

import os
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import BaseConnector, ClientRequest, ClientTimeout, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.tracing import Trace

from minequeue.workers.peers.node import PeerAway, PeerError, PeerFaulty

MAX_HEAD_BYTES = 64 * 1024  # of a status line and headers, and of all that comes before them
_PIECE = 1024  # bytes; where a head and a broken body come at once, the head is read alone
_INTERIM = frozenset(range(100, 200)) - {101}  # after 101 comes no other


class Wire(ResponseHandler):
    """Reads one answer; what ends it early is a :class:`PeerError`."""

    _room = MAX_HEAD_BYTES
    _is_head_read = False

    def data_received(self, data: bytes) -> None:
        """Read the head within its bound, then all."""
        while data and not self._is_head_read and not self.exception():
            if not self._room:
                reason = f"The head of its answer has more than {MAX_HEAD_BYTES} bytes."
                self.set_exception(PeerFaulty(reason))
                return
            size = min(_PIECE, self._room)
            piece, data = data[:size], data[size:]
            self._room -= len(piece)
            super().data_received(piece)
        if not self.exception():
            super().data_received(data)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take the head of the answer; those before it (1xx) say nothing that is wanted."""
        if data[0].code not in _INTERIM:
            self._is_head_read = True
            super().feed_data(data, size)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Tell whoever waits for the head; a :class:`PeerError` is not followed by a second try.

        The socket is closed at once: over TLS, aiohttp would wait for the peer's farewell.
        """
        transport = self.transport
        cause = exc_cause or exc
        super().set_exception(judge(cause if isinstance(cause, ssl.SSLError) else exc), cause)
        if transport is not None:
            transport.abort()

    def close(self) -> None:
        """Close it at once: whoever calls waits for no farewell of TLS."""
        self.abort()


class Connector(BaseConnector):
    """Opens the connections of a session by ``open_wire``."""

    def __init__(self, open_wire: Callable[[], Awaitable[Wire]]) -> None:
        super().__init__(force_close=True)
        self._open_wire = open_wire

    async def _create_connection(
        self, _req: ClientRequest, _traces: list[Trace], _timeout: ClientTimeout
    ) -> Wire:
        return await self._open_wire()


def judge(error: BaseException) -> PeerError:
    """What an ``error`` of a connection or of HTTP says of the peer."""
    if isinstance(error, PeerError):
        return error
    if isinstance(error, ssl.SSLError):
        return PeerFaulty(f"TLS with it fails: {error.reason or 'no certificate'}.")
    if not isinstance(error, HttpProcessingError):
        code = error.errno if isinstance(error, OSError) else None
        return PeerAway(f"It cannot be reached: {os.strerror(code) if code else 'no answer'}.")
    if "Content-Length" in error.message:
        return PeerFaulty("Its answer has a length that is no number.")
    return PeerFaulty("Its answer is no HTTP.")
