"""``minequeue proof verify``: that a transaction is in a block, from files alone."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from chain import canonical, strict_json
from chain.errors import InvalidTransaction, MalformedJson, MinequeueError
from chain.header import VERSION, Header
from chain.header_json import BadHeader, Digest, HeaderJson
from chain.merkle import is_included
from chain.proof_of_work import meets_target
from chain.transaction import validate_transaction
from compose.text_file import read_text

_MOST_BYTES = 2**20


class InvalidProof(MinequeueError):
    """The proof does not show that the transaction is in the block; the message says why."""


class _Proof(msgspec.Struct):
    id: Digest
    transaction: msgspec.Raw
    leaf_index: int
    tree_size: int
    path: list[Digest]
    block: HeaderJson


def run_verify(proof: Path, header: Path | None, *, minimum_bits: int, as_json: bool) -> None:
    """Verify the answer of GET /transactions/<id>/proof, and print what it shows.

    Args:
        proof: the file with the answer.
        header: a file with a header that is trusted, as GET /chain/headers or /chain/tip writes
            one; None to take the one of the answer.
        minimum_bits: the least work that the block may have.
        as_json: print JSON.

    Raises:
        InvalidProof: it shows nothing.
    """
    found = _read(proof, _Proof)
    own = _as_header(found.block)
    trusted = own if header is None else _as_header(_read(header, HeaderJson))
    if trusted != own:
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
    leaf = _check_transaction(found, own)
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
    }
    if as_json:
        click.echo(json.dumps({"valid": True, **shown}))
    else:
        click.echo(
            f"valid: transaction {found.id}\nis in block {own.index}, {own.hash.hex()}, "
            f"of {own.bits} bits of work"
        )
        if header is None:
            click.echo(
                "the header is the proof's own; --header compares it with one that you trust"
            )


def _check_transaction(found: _Proof, header: Header) -> bytes:
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
        return strict_json.make_reader(kind)(read_text(path, _MOST_BYTES))
    except OSError as error:
        raise InvalidProof(f"{path} cannot be read: {error.strerror}.") from None
    except MalformedJson as error:
        raise InvalidProof(f"{path} is not what a node answers: {error}.") from None
