"""A connection as http.client uses one, where every wait ends at one deadline.

A timeout of a socket bounds each wait by itself, so a byte a second would hold it for ever. A
thread that shuts the socket down comes too late or not at all: http.client forgets the socket once
the head is read, and TLS takes another one while hands are shaken.
"""

import io
import socket
import time
from typing import TYPE_CHECKING

from minequeue.workers.peers.node import PeerFaulty

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MOST_HEAD = 64 * 1024  # bytes of a status line and headers


class Deadline:
    """The end of an exchange, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then, more than 0.

        Raises:
            TimeoutError: there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Arriving(io.RawIOBase):
    """What the peer sends.

    Attributes:
        room: how many bytes may still arrive, or None.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self.room: int | None = MOST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Wait for bytes, until the deadline.

        Raises:
            PeerFaulty: there is no room for any.
            TimeoutError: there were none.
        """
        if self.room == 0:
            raise PeerFaulty(f"The head of its answer has more than {MOST_HEAD} bytes.")
        self._sock.settimeout(self._deadline.left())
        count = self._sock.recv_into(memoryview(buffer)[: self.room])
        if self.room is not None:
            self.room -= count
        return count


class Wire:
    """What http.client needs of a socket.

    Args:
        sock: is connected; whoever connected it closes it.
        deadline: when every wait ends.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._arriving = _Arriving(sock, deadline)

    def sendall(self, data: "ReadableBuffer") -> None:
        """Send it all before the deadline.

        Raises:
            TimeoutError: the peer does not take it.
        """
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What arrives, as a file."""
        return io.BufferedReader(self._arriving)

    def end_head(self) -> None:
        """Take what arrives from now on as the body, which is counted where it is read."""
        self._arriving.room = None

    def close(self) -> None:
        """Do nothing: http.client closes before the body is read."""
