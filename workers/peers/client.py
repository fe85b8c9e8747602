"""The one place from which another node is called: at allowed addresses, bounded in everything.

The name is resolved once and judged, and the address that was judged is the one that is connected
to, so a name that leads elsewhere the second time gains nothing. No redirect is followed, no proxy
of the environment is used, and nothing is unpacked.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from minequeue.chain.peers.allow_list import Allowed
from minequeue.chain.peers.url import PeerUrl
from minequeue.workers.peers.node import PeerAway, PeerFaulty, PeerNotAllowed
from minequeue.workers.peers.wire import Deadline, Wire

_RESOLVERS = 4  # threads; a resolver that hangs keeps one of them
_MOST_TRIED = 4  # addresses of one name
_PIECE = 64 * 1024  # bytes
_BUSY = frozenset({429, 503})
_REDIRECTS = range(300, 400)
Resolve = Callable[[str, int], Sequence[str]]


def resolve_name(host: str, port: int) -> list[str]:
    """The addresses of ``host``, in the order of the system's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class PeerClient:
    """Calls nodes.

    Attributes:
        allowed: where it may.
        token: a bearer token that nodes are shown, or "".
        connect_s: how long resolving may take, and connecting to each address.
        answer_s: how long a whole exchange may take, those included.
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
        target = f"{path}?{urlencode(query)}" if query else path
        deadline = Deadline(self.answer_s)
        try:
            with self._connect(peer, deadline) as sock:
                wire = Wire(sock, deadline)
                connection = _Connection(peer, wire)
                connection.request(method, target, headers=self._headers(method))
                answer = connection.getresponse()
                wire.end_head()
                return _read(answer, f"{method} {path}", most_bytes)
        except TimeoutError as error:
            raise PeerAway(f"It took longer than {self.answer_s:g} s to answer.") from error
        except ssl.SSLError as error:
            raise PeerFaulty(f"TLS with it fails: {error.reason or 'no certificate'}.") from error
        except OSError as error:
            raise _cannot_reach(error) from error
        except http.client.HTTPException as error:
            raise PeerFaulty(f"Its answer is no HTTP ({type(error).__name__}).") from error

    def _headers(self, method: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if method == "POST":
            headers["Content-Length"] = "0"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    @contextmanager
    def _connect(self, peer: PeerUrl, deadline: Deadline) -> Iterator[socket.socket]:
        """Connect to the first of its allowed addresses that answers, by TLS where it is https."""
        with self._reach(self._find_addresses(peer, deadline), peer.port, deadline) as sock:
            # a list may name 0.0.0.0, and that leads to this machine
            reached = str(sock.getpeername()[0])
            if not self.allowed.permits(peer.host, reached):
                raise _not_allowed(peer, [reached])
            if peer.scheme == "http":
                yield sock
                return
            sock.settimeout(deadline.left())
            with self.context.wrap_socket(sock, server_hostname=peer.host) as secured:
                yield secured

    def _reach(self, addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
        for address in addresses:
            timeout_s = min(self.connect_s, deadline.left())
            try:
                return socket.create_connection((address, port), timeout_s)
            except OSError as error:
                last = error
        raise _cannot_reach(last) from last

    def _find_addresses(self, peer: PeerUrl, deadline: Deadline) -> list[str]:
        """Those of its addresses that may be called."""
        found = [peer.host] if _is_address(peer.host) else self._ask(peer, deadline)
        allowed = [address for address in found if self.allowed.permits(peer.host, address)]
        if not allowed:
            raise _not_allowed(peer, found)
        return allowed[:_MOST_TRIED]

    def _ask(self, peer: PeerUrl, deadline: Deadline) -> Sequence[str]:
        # in a thread, because the system's resolver has no timeout
        asked = self._resolvers.submit(self.resolve, peer.host, peer.port)
        try:
            return asked.result(min(self.connect_s, deadline.left()))
        except TimeoutError as error:
            asked.cancel()  # where all threads hang, none begins with it later
            raise PeerAway(f"The name {peer.host} was not resolved in time.") from error
        except (OSError, UnicodeError) as error:
            raise PeerAway(f"The name {peer.host} cannot be resolved.") from error


class _Connection(http.client.HTTPConnection):
    """Writes the request to ``peer`` and reads its answer, over a wire that is there."""

    def __init__(self, peer: PeerUrl, wire: Wire) -> None:
        super().__init__(peer.host, peer.port)
        self.sock = wire


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _not_allowed(peer: PeerUrl, found: Sequence[str]) -> PeerNotAllowed:
    return PeerNotAllowed(
        f"{peer.host} leads to {', '.join(found[:3]) or 'no address'}, which is not on the "
        "allow-list (MINEQUEUE_PEER_ALLOW)."
    )


def _cannot_reach(error: OSError) -> PeerAway:
    return PeerAway(f"It cannot be reached: {error.strerror or 'no answer'}.")


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
    if not answer.getheader("Content-Length", "0").isdigit():
        raise PeerFaulty(f"Its answer to {what} has a length that is no number.")
    if answer.length is not None and answer.length > most:
        raise PeerFaulty(
            f"Its answer to {what} has {answer.length} bytes; at most {most} are read."
        )
    return _read_body(answer, what, most)


def _read_body(answer: http.client.HTTPResponse, what: str, most: int) -> bytes:
    # in pieces of our size: read() keeps an object of each chunk, however small they are, and a
    # chunk of a negative size is all that ever comes
    body = bytearray()
    piece = memoryview(bytearray(_PIECE))
    while count := answer.readinto(piece):
        body += piece[:count]
        if len(body) > most:
            raise PeerFaulty(f"Its answer to {what} has more than {most} bytes.")
    if answer.length:
        raise PeerFaulty(f"Its answer to {what} ends {answer.length} bytes too early.")
    return bytes(body)


class BadStatus(PeerFaulty):
    """The answer has a status that was not expected.

    Attributes:
        status: it.
    """

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"It answers {status} to {what}.")
        self.status = status
