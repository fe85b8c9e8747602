"""The one place from which another node is called: at allowed addresses, bounded in everything.

The name is resolved once and judged, and the address that was judged is the one that is connected
to, so a name that leads elsewhere the second time gains nothing. No redirect is followed, no proxy
of the environment is used, and nothing is unpacked.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from workers.peers.allowed import Allowed
from workers.peers.node import PeerAway, PeerFaulty
from workers.peers.url import PeerUrl

_RESOLVERS = 4  # threads; a resolver that hangs keeps one of them
_BUSY = frozenset({429, 503})
_REDIRECTS = range(300, 400)
Resolve = Callable[[str, int], Sequence[str]]


class PeerNotAllowed(PeerFaulty):
    """The address is not on the allow-list."""


def resolve_name(host: str, port: int) -> list[str]:
    """The addresses of ``host``, in the order of the system's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class PeerClient:
    """Calls nodes.

    Attributes:
        allowed: where it may.
        token: a bearer token that nodes are shown, or "".
        connect_s: how long resolving and connecting may take, each.
        answer_s: how long a whole exchange may take.
        context: how TLS is verified.
        resolve: gives the addresses of a host.
    """

    allowed: Allowed
    token: str = field(default="", repr=False)
    connect_s: float = 2.0
    answer_s: float = 10.0
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    resolve: Resolve = resolve_name
    _resolvers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_RESOLVERS, "resolve"), init=False, repr=False
    )

    def call(
        self, peer: PeerUrl, method: str, path: str, query: dict[str, int], *, most_bytes: int
    ) -> bytes:
        """Call ``peer`` and give the body of its answer.

        Raises:
            PeerNotAllowed: it may not be called; nothing was sent.
            PeerAway: it does not answer in time, or says that it is busy.
            PeerFaulty: its answer has another status than 2xx, is too large, or is no HTTP.
        """
        address = self._find_address(peer)
        target = f"{path}?{urlencode(query)}" if query else path
        connection = _Connection(peer, address, self.connect_s, self.context)
        try:
            with _end_after(self.answer_s, connection):
                connection.request(method, target, headers=self._headers(method))
                return _read(connection.getresponse(), f"{method} {path}", most_bytes)
        except ssl.SSLError as error:
            raise PeerFaulty(f"TLS with it fails: {error.reason or 'no certificate'}.") from error
        except (OSError, http.client.HTTPException) as error:
            if connection.ended:
                raise PeerAway(f"It took longer than {self.answer_s:g} s to answer.") from error
            if isinstance(error, OSError):
                raise PeerAway(f"It cannot be reached: {error.strerror or 'no answer'}.") from error
            raise PeerFaulty(f"Its answer is no HTTP ({type(error).__name__}).") from error
        finally:
            connection.close()

    def _headers(self, method: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if method == "POST":
            headers["Content-Length"] = "0"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def _find_address(self, peer: PeerUrl) -> str:
        """The first of its addresses that may be called."""
        try:
            found = self._resolvers.submit(self.resolve, peer.host, peer.port).result(
                self.connect_s
            )
        except TimeoutError as error:
            raise PeerAway(f"The name {peer.host} was not resolved in time.") from error
        except (OSError, UnicodeError) as error:
            raise PeerAway(f"The name {peer.host} cannot be resolved.") from error
        for address in found:
            if self.allowed.permits(peer.host, address):
                return address
        raise PeerNotAllowed(
            f"{peer.host} leads to {', '.join(found[:3]) or 'no address'}, which is not on the "
            "allow-list (MINEQUEUE_PEER_ALLOW)."
        )


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was judged, whatever the name leads to by now."""

    def __init__(
        self, peer: PeerUrl, address: str, connect_s: float, context: ssl.SSLContext
    ) -> None:
        super().__init__(peer.host, peer.port, timeout=connect_s)
        self._peer = peer
        self._address = address
        self._context = context
        self.ended = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        self.sock.settimeout(None)  # from here on, the end of the exchange bounds it
        if self._peer.scheme == "https":
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._peer.host)

    def end(self) -> None:
        """Let whatever waits for the peer fail now."""
        self.ended = True
        if self.sock is not None:
            with suppress(OSError):  # it is closed already
                self.sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def _end_after(seconds: float, connection: _Connection) -> Iterator[None]:
    """End the exchange after so long, however it spends its time: a byte a second is no way out."""
    timer = threading.Timer(seconds, connection.end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _read(answer: http.client.HTTPResponse, what: str, most: int) -> bytes:
    status = answer.status
    if status in _REDIRECTS:
        raise PeerFaulty(f"It redirects {what} ({status}); redirects are not followed.")
    if status in _BUSY:
        raise PeerAway(f"It is busy: it answers {status} to {what}.")
    if status // 100 != 2:  # noqa: PLR2004  # 2xx
        raise BadStatus(status, what)
    if answer.getheader("Content-Encoding", "identity").lower() != "identity":
        raise PeerFaulty(f"It packs its answer to {what} although it was asked not to.")
    length = answer.length
    if length is not None and length > most:
        raise PeerFaulty(f"Its answer to {what} has {length} bytes; at most {most} are read.")
    body = answer.read(most + 1)
    if len(body) > most:
        raise PeerFaulty(f"Its answer to {what} has more than {most} bytes.")
    if length is not None and len(body) != length:
        raise http.client.IncompleteRead(body, length - len(body))
    return body


class BadStatus(PeerFaulty):
    """The answer has a status that was not expected.

    Attributes:
        status: it.
    """

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"It answers {status} to {what}.")
        self.status = status
