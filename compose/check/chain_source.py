"""Where a chain to be checked comes from: a node, a file, standard input, or a data directory."""

import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeAlias

from minequeue.chain.protocol.rules import RuleRecord
from minequeue.compose.check.chain_page import CannotRead, Page, parse_answer
from minequeue.compose.client.node_client import MAX_ANSWER_BYTES, NodeClient, NodeError
from minequeue.compose.text.file import drop_mark

# gives the answer to a path, cut off after so many bytes
Get: TypeAlias = Callable[[str, int], bytes]

_TIMEOUT_S = 60.0  # for one page, and for a node that has no room
_PAGE_BYTES = 4 * 2**20  # of one request, unless a block alone is larger
_FIRST_PAGE = 4  # blocks; later ones hold as many as the bytes allow
_MAX_PAGE = 256  # blocks; a node gives 1000 at most


def read_pages(
    source: str, network: str, tell_rules: Callable[[RuleRecord], object] = lambda _: None
) -> Generator[Page, None, None]:
    """The chain that GET /chain answers, page by page.

    Args:
        source: a node's URL, a file with its answer, "-" for standard input, or the data directory
            of a stack that does not run.
        network: the network of the data directory.
        tell_rules: is given the rules that a data directory's own ledger keeps, before the pages.

    Raises:
        CannotRead: there is no chain to be read.
        StartRefused: the data directory is in use.
    """
    if source.startswith(("http://", "https://")):
        yield from read_node(NodeClient(source, patience_s=_TIMEOUT_S))
    elif Path(source).is_dir():
        from minequeue.compose.check.stopped_stack import serve  # noqa: PLC0415  # loads all that a stack needs

        with serve(Path(source), network) as (get, record):
            if record:
                tell_rules(record)
            yield from _ask(source, get)
    else:
        yield from _read_file(source)


def read_node(
    client: NodeClient, *, wait_s: float = _TIMEOUT_S, is_missed: bool = False
) -> Iterator[Page]:
    """The chain of a node, page by page.

    Args:
        client: calls it.
        wait_s: for how long a page is asked for again where the node has no room.
        is_missed: ask again also where nobody answers.

    Raises:
        CannotRead: there is no chain to be read.
    """

    def get(path: str, most: int) -> bytes:
        try:
            return client.insist("GET", path, wait_s=wait_s, is_missed=is_missed, most=most).body
        except NodeError as error:
            raise CannotRead(f"{client.url}{path} cannot be read ({error}).") from None

    return _ask(client.url, get)


def _ask(name: str, get: Get) -> Iterator[Page]:
    """Up to the length that the first answer tells, in pages whose bytes are bounded."""
    path = "/chain?from=1&limit=1"
    raw = get(path, MAX_ANSWER_BYTES)
    yield Page(name + path, raw, 1)
    _, length = parse_answer(raw, name + path)
    start, limit = 2, _FIRST_PAGE
    while start <= length:
        limit = min(limit, length - start + 1)
        path = f"/chain?from={start}&limit={limit}"
        raw = get(path, _PAGE_BYTES if limit > 1 else MAX_ANSWER_BYTES)
        if len(raw) > _PAGE_BYTES and limit > 1:
            limit = limit // 2
            continue
        yield Page(name + path, raw, limit)
        start += limit
        if len(raw) < _PAGE_BYTES // 4:
            limit = min(2 * limit, _MAX_PAGE)


def _read_file(source: str) -> Iterator[Page]:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise CannotRead(f"{source} cannot be read ({error.strerror}).") from None
    yield Page(source, drop_mark(raw))
