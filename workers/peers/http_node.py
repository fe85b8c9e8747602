"""A node over HTTP: the routes that are asked, and how their answers are read.

What is read here is typed and bounded, and not believed: headers and bodies are validated by
whoever asked for them.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec

from minequeue.chain.errors import MalformedJson
from minequeue.chain.ledger import Record
from minequeue.chain.peers.url import PeerUrl
from minequeue.chain.protocol.block import Block, join_body
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.header_json import BadHeader, HeaderJson
from minequeue.chain.protocol.rules import MAX_BODY_BYTES
from minequeue.chain.protocol.strict_json import make_reader
from minequeue.workers.peers.client import BadStatus, PeerClient
from minequeue.workers.peers.node import PeerFaulty

_SMALL = 64 * 1024  # bytes of an answer with one header
_PAGE_BYTES = 1024  # bytes for each header of a page
_HEAD_BYTES = 1024  # bytes of a block beside its transactions
_BAD_REQUEST, _NOT_FOUND = 400, 404

_Digits = Annotated[str, msgspec.Meta(min_length=1, max_length=78)]  # of 2^256


class _Tip(HeaderJson):
    cumulative_work: _Digits
    signatures: str | None = None  # a node that does not say so is judged by its blocks alone


class _Page(msgspec.Struct):
    headers: list[HeaderJson]


class _Block(HeaderJson):
    transactions: list[msgspec.Raw]


T = TypeVar("T")
_read_tip, _read_page, _read_block = make_reader(_Tip), make_reader(_Page), make_reader(_Block)


class HttpNode:
    """The node at an address.

    Args:
        client: calls it.
        signatures: "required" or "optional", as our network says.
        address: where it is, as :class:`PeerUrl` reads it.
    """

    def __init__(self, client: PeerClient, address: str, signatures: str = "optional") -> None:
        self._client = client
        self._signatures = signatures
        self._peer = PeerUrl.parse(address)

    def tip(self) -> Record:
        """See :class:`workers.peers.node.Node`."""
        path = "/chain/tip"
        try:
            found = self._get(path, {}, _read_tip, _SMALL)
        except BadStatus as error:
            if error.status == _NOT_FOUND:
                raise PeerFaulty(
                    "It has no GET /chain/tip. A node that offers GET /chain alone cannot be "
                    "followed: its blocks have no header whose work could be checked."
                ) from error
            raise
        if not found.cumulative_work.isascii() or not found.cumulative_work.isdigit():
            raise PeerFaulty(f"Its answer to GET {path} has a work that is no number.")
        if found.signatures not in {None, self._signatures}:
            theirs = str(found.signatures)[:10]
            raise PeerFaulty(
                f"Its network has another rule: there signatures are {theirs!r}, here "
                f"{self._signatures}."
            )
        return Record(self._as_header(found), int(found.cumulative_work))

    def headers(self, first: int, limit: int) -> list[Header]:
        """See :class:`workers.peers.node.Node`."""
        query = {"from": first, "limit": limit}
        try:
            page = self._get("/chain/headers", query, _read_page, _PAGE_BYTES * (limit + 1))
        except BadStatus as error:
            if error.status == _BAD_REQUEST:
                return []  # so a page past the tip is refused
            raise
        if len(page.headers) > limit:
            raise PeerFaulty(f"It sent more headers than the {limit} that it was asked for.")
        return [self._as_header(header) for header in page.headers]

    def block(self, header: Header) -> Block:
        """See :class:`workers.peers.node.Node`."""
        path = f"/chain/blocks/{header.hash.hex()}"
        found = self._get(path, {}, _read_block, MAX_BODY_BYTES + _HEAD_BYTES)
        return Block(self._as_header(found), join_body([bytes(raw) for raw in found.transactions]))

    def announce(self) -> None:
        """See :class:`workers.peers.node.Node`."""
        self._client.call(self._peer, "POST", "/nodes/resolve", {}, most_bytes=_SMALL)

    def _get(
        self, path: str, query: dict[str, int], read: Callable[[bytes], T], most_bytes: int
    ) -> T:
        body = self._client.call(self._peer, "GET", path, query, most_bytes=most_bytes)
        try:
            return read(body)
        except MalformedJson as error:
            raise PeerFaulty(f"Its answer to GET {path} is not what it should be.") from error

    def _as_header(self, found: HeaderJson) -> Header:
        try:
            return found.as_header()
        except BadHeader as error:
            raise PeerFaulty("It sent a header with a field out of its bounds.") from error
