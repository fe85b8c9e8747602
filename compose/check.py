"""``minequeue check``: a whole chain from where it lies, through the independent auditor."""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from chain.audit import Auditor, InvalidChain, Summary
from chain.errors import MinequeueError

_PAGE = 100  # blocks in one request
_PATIENCE_S = 60.0  # for one page


class CannotRead(MinequeueError):
    """No chain can be read there; give a node's URL or a file with its answer to GET /chain."""


def run_check(source: str, *, minimum_bits: int, network: str | None, as_json: bool) -> int:
    """Check the chain at ``source`` and print what was found; 0 if it is valid, else 1.

    Raises:
        CannotRead: there is no chain to be read.
    """
    began = time.perf_counter()
    auditor = Auditor(now_ms=int(time.time() * 1000), minimum_bits=minimum_bits, network=network)
    try:
        for block in _read_blocks(source):
            auditor.add(block)
    except InvalidChain as error:
        found = {"valid": False, "index": error.index, "reason": error.reason}
        click.echo(json.dumps(found) if as_json else str(error))
        return 1
    summary = auditor.summarise()
    if as_json:
        click.echo(json.dumps({"valid": True, **asdict(summary)}))
    else:
        click.echo(_describe(summary, time.perf_counter() - began))
    return 0


def _describe(summary: Summary, took_s: float) -> str:
    return (
        f"valid: {summary.blocks} blocks, {summary.transactions} transactions, each once\n"
        f"cumulative work {summary.cumulative_work}, tip {summary.tip}\n"
        f"checked in {took_s:.1f} s"
    )


def _read_blocks(source: str) -> Iterator[Any]:
    if source.startswith(("http://", "https://")):
        yield from _read_pages(source.rstrip("/"))
        return
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise CannotRead(f"{source} cannot be read ({error.strerror}).") from None
    answer = _parse(raw, source)
    if answer["length"] != len(answer["chain"]):
        raise CannotRead(f"{source} holds another number of blocks than it says.")
    yield from answer["chain"]


def _read_pages(url: str) -> Iterator[Any]:
    """Page by page, up to the length that the first page tells."""
    first = _fetch(f"{url}/chain?from=1&limit={_PAGE}")
    yield from first["chain"]
    length = first["length"]
    for start in range(_PAGE + 1, length + 1, _PAGE):
        page = _fetch(f"{url}/chain?from={start}&limit={min(_PAGE, length - start + 1)}")
        yield from page["chain"]


def _fetch(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310  # http(s) only
            return _parse(answer.read(), url)
    except (urllib.error.URLError, OSError) as error:
        raise CannotRead(f"{url} cannot be read ({error}).") from None


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
