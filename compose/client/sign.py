"""``minequeue sign``: transactions in, signed submissions out, one a line, however many."""

import json
import secrets
from collections.abc import Iterator
from typing import IO

import click

from minequeue.chain.errors import MalformedJson, MinequeueError
from minequeue.chain.protocol import strict_json
from minequeue.chain.protocol.signature import SecretKey
from minequeue.chain.protocol.strict_json import Json
from minequeue.chain.protocol.transaction import sign_submission
from minequeue.compose.client.submission import Identities
from minequeue.compose.text.file import MAX_LINE_BYTES, number_lines


class CannotSign(MinequeueError):
    """A transaction cannot be signed; the message names its line and what is wrong."""


def run_sign(source: IO[bytes], key: SecretKey, name: str | None) -> None:
    """Write each transaction of ``source`` signed to standard output, as NDJSON.

    Args:
        source: transactions.
        key: the sender's.
        name: gives a line without nonce its own, see :mod:`compose.client.submission`; None to
            draw them.

    Raises:
        CannotSign: what the first bad one is; those before it were written.
    """
    identities = None if name is None else Identities(lambda: name)
    for number, fields in _read(source, identities):
        try:
            signed = sign_submission(fields, key, lambda: secrets.token_hex(16))
        except MinequeueError as error:
            raise CannotSign(f"Line {number}: {error}") from None
        click.echo(signed)


def _read(source: IO[bytes], identities: Identities | None) -> Iterator[tuple[int, Json]]:
    """The transactions with their lines: one a line, or a single one on many lines."""
    for number, line in number_lines(source):
        if line is None:
            raise CannotSign(f"Line {number} is longer than {MAX_LINE_BYTES} bytes; shorten it.")
        try:
            yield number, strict_json.loads(identities.complete(line) if identities else line)
        except MalformedJson as error:
            if number == 1 and line.strip() == b"{":
                whole = (line + source.read(MAX_LINE_BYTES)).strip()
                yield 1, _read_whole(whole, identities)
                return
            raise CannotSign(f"Line {number}: {error}") from None


def _read_whole(text: bytes, identities: Identities | None) -> Json:
    try:
        return strict_json.loads(identities.complete(text) if identities else text)
    except MalformedJson as error:
        raise CannotSign(str(error)) from None


def describe_key(key: SecretKey, *, as_json: bool) -> str:
    """What may be shown of a key."""
    return json.dumps({"address": key.address}) if as_json else key.address
