"""Where a chain to be checked comes from: a node, a file, standard input, or a data directory."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chain.errors import MinequeueError
from compose import embedded
from compose.data_dir import hold, log_path
from compose.settings import Settings
from compose.wiring import make_web

_PAGE = 100  # blocks in one request
_PATIENCE_S = 60.0  # for one page


class CannotRead(MinequeueError):
    """No chain can be read there; give a node's URL, its answer in a file, or a data directory."""


def read_blocks(source: str, network: str | None) -> Iterator[Any]:
    """The blocks of GET /chain, as they were sent.

    Args:
        source: a node's URL, a file with its answer, "-" for standard input, or the data directory
            of a stack that does not run.
        network: the network of the data directory; None for the one of the settings.

    Raises:
        CannotRead: there is no chain to be read.
        StartRefused: the data directory is in use.
    """
    if source.startswith(("http://", "https://")):
        url = source.rstrip("/")
        yield from _read_pages(lambda path: _fetch(url + path))
    elif Path(source).is_dir():
        with _serve(Path(source), network) as get:
            yield from _read_pages(get)
    else:
        yield from _read_file(source)


def _read_pages(get: Callable[[str], dict[str, Any]]) -> Iterator[Any]:
    """Page by page, up to the length that the first page tells."""
    first = get(f"/chain?from=1&limit={_PAGE}")
    yield from first["chain"]
    length = first["length"]
    for start in range(_PAGE + 1, length + 1, _PAGE):
        yield from get(f"/chain?from={start}&limit={min(_PAGE, length - start + 1)}")["chain"]


def _fetch(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310  # http(s) only
            return _parse(answer.read(), url)
    except (urllib.error.URLError, OSError) as error:
        raise CannotRead(f"{url} cannot be read ({error}).") from None


@contextmanager
def _serve(data_dir: Path, network: str | None) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Start the directory's server for a moment, and answer from it as the web tier would."""
    if not (data_dir / "ledger").is_dir():
        raise CannotRead(f"{data_dir} is no data directory: it holds no ledger.")
    options = {"data_dir": str(data_dir), "redis_url": ""}
    settings = Settings.from_environment(
        os.environ, options | ({"network": network} if network else {})
    )
    socket = embedded.socket_path(data_dir)
    with hold(data_dir), log_path(data_dir, "server").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603  # our own program
            embedded.server_command(embedded.find_server(settings.server_binary), data_dir, socket),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            embedded.wait_until_ready(socket, lambda: server.poll() is None)
            client = make_web(settings).test_client()
            yield lambda path: _parse(client.get(path).data, f"{data_dir}{path}")
        finally:
            server.terminate()
            server.wait()


def _read_file(source: str) -> Iterator[Any]:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise CannotRead(f"{source} cannot be read ({error.strerror}).") from None
    answer = _parse(raw, source)
    if answer["length"] != len(answer["chain"]):
        raise CannotRead(f"{source} holds another number of blocks than it says.")
    yield from answer["chain"]


def _parse(raw: bytes, source: str) -> dict[str, Any]:
    try:
        answer = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise CannotRead(f"{source} is not JSON ({error}).") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("chain"), list):
        raise CannotRead(f"{source} is not an answer of GET /chain.")
    return answer


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members
