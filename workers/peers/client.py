"""The one place from which another node is called: at allowed addresses, bounded in everything.

The name is resolved once and judged, and the address that was judged is the one that is connected
to, so a name that leads elsewhere the second time gains nothing. No redirect is followed, no proxy
of the environment is used, and nothing is unpacked.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import aiohttp

from minequeue.chain.peers.allow_list import AllowList
from minequeue.chain.peers.names import is_host_name
from minequeue.chain.peers.url import PeerUrl
from minequeue.workers.peers.node import PeerAway, PeerFaulty, PeerNotAllowed
from minequeue.workers.peers.wire import MAX_HEAD_BYTES, Connector, Wire, judge

_RESOLVERS = 4  # threads; a resolver that hangs keeps one of them
_MAX_TRIED = 4  # addresses of one name
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
        connect_s: how long resolving may take, and connecting to each address, TLS included.
        answer_s: how long a whole exchange may take, those included.
        context: how TLS is verified.
        resolve: gives the addresses of a host.
    """

    allowed: AllowList
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
        try:
            # a loop of its own: threads call at once, and none is inherited by a fork
            with closing(asyncio.new_event_loop()) as loop:
                return loop.run_until_complete(self._call(peer, method, path, query, most_bytes))
        except (aiohttp.ClientError, OSError) as error:
            raise judge(error) from error

    async def _call(
        self, peer: PeerUrl, method: str, path: str, query: dict[str, int], most: int
    ) -> bytes:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            async with (
                asyncio.timeout(self.answer_s),
                aiohttp.ClientSession(
                    connector=Connector(lambda: self._connect(peer)),
                    timeout=aiohttp.ClientTimeout(),  # none: the one above bounds all of it
                    auto_decompress=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    max_line_size=MAX_HEAD_BYTES,
                    max_field_size=MAX_HEAD_BYTES,
                    skip_auto_headers=["User-Agent", "Content-Type"],
                ) as session,
                session.request(
                    method, f"{peer}{path}", params=query, headers=headers, allow_redirects=False
                ) as answer,
            ):
                return await _read(answer, f"{method} {path}", most)
        except TimeoutError as error:
            raise PeerAway(f"It took longer than {self.answer_s:g} s to answer.") from error

    async def _connect(self, peer: PeerUrl) -> Wire:
        """Connect to the first of its allowed addresses that answers, by TLS where it is https."""
        loop = asyncio.get_running_loop()
        context = self.context if peer.scheme == "https" else None
        name = peer.host if context else None
        last = OSError()
        for address in await self._find_addresses(peer):
            try:
                async with asyncio.timeout(self.connect_s):
                    _, wire = await loop.create_connection(
                        lambda: Wire(loop), address, peer.port, ssl=context, server_hostname=name
                    )
                    return wire
            except ssl.SSLError as error:
                raise judge(error) from error
            except OSError as error:
                last = error
        raise judge(last) from last

    async def _find_addresses(self, peer: PeerUrl) -> list[str]:
        """Those of its addresses that may be called."""
        found = await self._ask(peer) if is_host_name(peer.host) else [peer.host]
        allowed = [address for address in found if self.allowed.permits(peer.host, address)]
        if not allowed:
            raise PeerNotAllowed(
                f"{peer.host} leads to {', '.join(found[:3]) or 'no address'}, which is not on "
                "the allow-list (MINEQUEUE_PEER_ALLOW)."
            )
        return allowed[:_MAX_TRIED]

    async def _ask(self, peer: PeerUrl) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.connect_s):
                # in a thread, because the system's resolver has no timeout
                return await loop.run_in_executor(
                    self._resolvers, self.resolve, peer.host, peer.port
                )
        except TimeoutError as error:
            raise PeerAway(f"The name {peer.host} was not resolved in time.") from error
        except (OSError, UnicodeError) as error:
            raise PeerAway(f"The name {peer.host} cannot be resolved.") from error


async def _read(answer: aiohttp.ClientResponse, what: str, most: int) -> bytes:
    status, length = answer.status, answer.content_length
    if status in _REDIRECTS:
        raise PeerFaulty(f"It redirects {what} ({status}); redirects are not followed.")
    if status in _BUSY:
        raise PeerAway(f"It is busy: it answers {status} to {what}.")
    if status // 100 != 2:  # noqa: PLR2004  # 2xx
        raise BadStatus(status, what)
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PeerFaulty(f"It packs its answer to {what} although it was asked not to.")
    if length is not None and length > most:
        raise PeerFaulty(f"Its answer to {what} has {length} bytes; at most {most} are read.")
    body = bytearray()
    try:
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > most:
                raise PeerFaulty(f"Its answer to {what} has more than {most} bytes.")
    except aiohttp.ClientPayloadError as error:
        if "Too many headers" in str(error):
            raise TimeoutError from error  # it sends trailers, which may have no end
        if length is None:
            raise PeerFaulty("Its answer is no HTTP.") from error
        missing = length - answer.content.total_bytes
        raise PeerFaulty(f"Its answer to {what} ends {missing} bytes too early.") from error
    return bytes(body)


class BadStatus(PeerFaulty):
    """The answer has a status that was not expected.

    Attributes:
        status: it.
    """

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"It answers {status} to {what}.")
        self.status = status
