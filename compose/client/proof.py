"""``minequeue proof verify``: that a transaction is in a block, from files alone."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from minequeue.chain.errors import InvalidBlock, InvalidTransaction, MalformedJson, MinequeueError
from minequeue.chain.protocol import canonical, strict_json
from minequeue.chain.protocol.header import VERSION, Header, genesis
from minequeue.chain.protocol.header_branch import HeaderBranch
from minequeue.chain.protocol.header_json import BadHeader, Digest, HeaderJson
from minequeue.chain.protocol.merkle import is_included
from minequeue.chain.protocol.proof_of_work import meets_target
from minequeue.chain.protocol.transaction import validate_transaction
from minequeue.compose.text.file import read_text

_MAX_BYTES = 2**20


class InvalidProof(MinequeueError):
    """The proof does not show that the transaction is in the block; the message says why."""


class _Proof(msgspec.Struct):
    id: Digest
    transaction: msgspec.Raw
    leaf_index: int
    tree_size: int
    path: list[Digest]
    block: HeaderJson


class _Headers(msgspec.Struct):
    headers: list[HeaderJson]


def run_verify(
    proof: Path,
    header: Path | None,
    headers: Sequence[Path],
    *,
    minimum_bits: int,
    network: str,
    as_json: bool,
) -> None:
    """Verify the answer of GET /transactions/<id>/proof, and print what it shows.

    Args:
        proof: the file with the answer.
        header: a file with a header that is trusted, as GET /chain/headers or /chain/tip writes
            one; None to take the one of the answer.
        headers: files with the pages of GET /chain/headers, from the first block on; the block of
            the proof must be among them. Without any, the network is not looked at.
        minimum_bits: the least work that a block may have.
        network: the name that the first block must have.
        as_json: print JSON.

    Raises:
        InvalidProof: it shows nothing.
    """
    found = _read(proof, _Proof)
    own = _as_header(found.block)
    if header is not None and own != _as_header(_read(header, HeaderJson)):
        raise InvalidProof(
            f"The proof is for block {own.index}, {own.hash.hex()}, and not for the header."
        )
    if own.version != VERSION:
        raise InvalidProof(f"The header has version {own.version}, not {VERSION}.")
    if own.bits < minimum_bits:
        raise InvalidProof(
            f"The header of block {own.index} has {own.bits} bits of work, not {minimum_bits}; for "
            "a network of less, say --bits."
        )
    if not meets_target(own.hash, own.bits):
        raise InvalidProof(f"The header of block {own.index} does not meet its own target.")
    chain = _read_chain(headers, network, minimum_bits) if headers else []
    if headers and own not in chain:
        raise InvalidProof(f"Block {own.index}, {own.hash.hex()}, is not among the headers.")
    leaf = _validate_transaction(found, own)
    path = [bytes.fromhex(node) for node in found.path]
    if not is_included(leaf, found.leaf_index, found.tree_size, path, own.merkle_root):
        raise InvalidProof(
            "The path does not lead from the transaction to the block's Merkle root."
        )
    shown: dict[str, Any] = {
        "id": found.id,
        "index": own.index,
        "hash": own.hash.hex(),
        "bits": own.bits,
        "header": "own" if header is None else "trusted",
        "network": network if chain else None,
        "length": len(chain),
    }
    if as_json:
        click.echo(json.dumps({"valid": True, **shown}))
        return
    click.echo(
        f"valid: transaction {found.id}\nis in block {own.index}, {own.hash.hex()}, "
        f"of {own.bits} bits of work"
    )
    if chain:
        click.echo(f"on a chain of {len(chain)} blocks of the network {network!r}")
    elif header is None:
        click.echo(
            "the header is the proof's own: --header compares it with one that you trust, "
            "--headers with the network's"
        )


def _read_chain(pages: Sequence[Path], network: str, minimum_bits: int) -> list[Header]:
    """The headers of ``pages``, which must be those of a chain of the network."""
    found = [_as_header(each) for page in pages for each in _read(page, _Headers).headers]
    first = genesis(network)
    if not found or found[0] != first:
        raise InvalidProof(
            f"The headers do not begin with the first block of the network {network!r}; "
            "GET /chain/headers?from=1 gives them."
        )
    branch = HeaderBranch(
        first, first.work, [first.timestamp], find_least_bits=lambda _: minimum_bits, revision=""
    )
    now_ms = int(time.time() * 1000)
    try:
        for each in found[1:]:
            branch.append(each, now_ms=now_ms)
    except InvalidBlock as error:
        raise InvalidProof(str(error)) from None
    return found


def _validate_transaction(found: _Proof, header: Header) -> bytes:
    """The transaction in canonical form."""
    is_last = found.leaf_index == found.tree_size - 1
    try:
        fields = strict_json.loads(bytes(found.transaction))
        transaction = validate_transaction(fields, index=header.index, last=is_last)
        leaf = canonical.encode(fields)
    except (MalformedJson, InvalidTransaction) as error:
        raise InvalidProof(f"The transaction is not valid: {error}") from None
    if transaction.id != found.id:
        raise InvalidProof("The proof is for another transaction than it says.")
    return leaf


def _as_header(found: HeaderJson) -> Header:
    try:
        return found.as_header()
    except BadHeader as error:
        raise InvalidProof(f"The header is none: {error}.") from None


def _read(path: Path, kind: Any) -> Any:
    try:
        return strict_json.make_reader(kind)(read_text(path, _MAX_BYTES))
    except OSError as error:
        raise InvalidProof(f"{path} cannot be read: {error.strerror}.") from None
    except MalformedJson as error:
        raise InvalidProof(f"{path} is not what a node answers: {error}") from None
