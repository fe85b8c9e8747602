"""Every parser, fed with anything: only its documented error comes out, and what is read stays.

`make fuzz` tries 3,000 examples of each.
"""

import json
import struct
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from minequeue.chain.audit import Auditor, InvalidChain
from minequeue.chain.errors import InvalidBlock, InvalidTransaction, MalformedJson
from minequeue.chain.protocol import fast_transactions, strict_json
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import SIZE, Header
from minequeue.chain.protocol.merkle import calculate_path, calculate_root, is_included
from minequeue.chain.protocol.transaction import accept_submission, validate_transaction
from minequeue.chain.protocol.validation import validate_body, validate_header
from minequeue.compose.config.settings import BadSetting, Settings, variable
from minequeue.web.http.requests import (
    parse_hex,
    parse_number,
    read_idempotency_key,
    read_number,
    read_wait_s,
)
from minequeue.web.replies.problems import Problem
from minequeue.workers.peers.http_node import HttpNode
from minequeue.workers.peers.node import PeerFaulty
from tests.independent import make_chain
from tests.unit.test_canonical import values

FIELDS = ["sender", "recipient", "amount", "nonce", "contract", "signature", "id", "fee"]
ANYTHING = st.one_of(values, st.floats(), st.integers(), st.text(max_size=200), st.none())
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), ANYTHING)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda value: json.dumps(value).encode(), st.one_of(OBJECTS, st.lists(OBJECTS))),
)
CHAIN = make_chain(4)


@given(BODIES)
def test_json(raw: bytes) -> None:
    try:
        value = strict_json.loads(raw)
    except MalformedJson:
        return
    if _is_finite(value):
        assert strict_json.loads(json.dumps(value).encode()) == value


@given(OBJECTS)
def test_submissions(fields: Any) -> None:
    try:
        accepted = accept_submission(fields, lambda: "n")
    except InvalidTransaction:
        return
    stands = strict_json.loads(accepted.canonical)
    assert validate_transaction(stands, index=2, last=False) == accepted


@given(st.one_of(ANYTHING, OBJECTS), st.integers(0, 3), st.booleans())
def test_transactions_of_a_block(fields: Any, index: int, last: bool) -> None:
    try:
        valid = validate_transaction(fields, index=index, last=last)
    except (InvalidTransaction, MalformedJson):
        return
    assert strict_json.loads(valid.canonical) == fields


@given(BODIES)
def test_both_ways_of_reading_a_submission_agree(raw: bytes) -> None:
    plain = fast_transactions.read_one(raw, lambda _: "n")
    if plain is not None:
        assert plain == accept_submission(strict_json.loads(raw), lambda: "n")


@given(st.binary(max_size=2 * SIZE))
def test_headers(raw: bytes) -> None:
    try:
        header = Header.unpack(raw)
    except struct.error:
        assert len(raw) != SIZE
        return
    assert header.pack() == raw
    with pytest.raises(InvalidBlock):
        validate_header(header, Header.unpack(bytes(SIZE)), [0], now_ms=0, minimum_bits=64)


@given(st.lists(st.one_of(OBJECTS, ANYTHING), max_size=3))
def test_bodies_of_blocks(transactions: list[Any]) -> None:
    body = (
        json.dumps(transactions, allow_nan=False, default=str) if _is_finite(transactions) else ""
    )
    try:
        leaves = Block(Header.unpack(bytes(SIZE)), body.encode()).leaves
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    header = Header(1, 0, 2, 0, bytes(32), calculate_root(leaves), 0)
    with pytest.raises(InvalidBlock):
        validate_body(Block(header, body.encode()))


def _is_finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20), st.data())
def test_merkle_paths_lead_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(leaves) - 1))
    path, root = calculate_path(leaves, position), calculate_root(leaves)
    assert is_included(leaves[position], position, len(leaves), path, root)
    other = data.draw(st.lists(st.binary(min_size=32, max_size=32), max_size=6))
    if other != path:
        assert not is_included(leaves[position], position, len(leaves), other, root)


@given(st.integers(1, 3), st.sampled_from(sorted(CHAIN[1])), ANYTHING)
def test_the_audit_of_a_block(position: int, name: str, value: Any) -> None:
    block = {**CHAIN[position], name: value}
    auditor = Auditor(now_ms=10**13, minimum_bits=1)
    for before in CHAIN[:position]:
        auditor.add(before)
    try:
        auditor.add(block)
    except InvalidChain:
        return
    assert block == CHAIN[position]


@given(st.sampled_from([*Settings.__dataclass_fields__]), st.text(max_size=60))
def test_settings(name: str, text: str) -> None:
    try:
        found = Settings.from_environment({variable(name): text})
    except BadSetting:
        return
    assert Settings.from_environment(found.as_environment()) == found


@given(st.text(max_size=80))
def test_parts_of_requests(text: str) -> None:
    for parse in (lambda: parse_number(text), lambda: parse_hex(text, 16)):
        assert parse() is None or str(text)
    app = Flask(__name__)
    headers = [("Prefer", text), ("Idempotency-Key", text)]
    printable = text.isascii() and text.isprintable()
    query = {"from": text}
    with app.test_request_context("/", query_string=query, headers=headers if printable else []):
        _only(Problem, lambda: read_number("from", 1, least=1, most=9))
        _only(Problem, read_idempotency_key)
        assert (read_wait_s() or 0) >= 0


def _only(error: type[Exception], action: Callable[[], object]) -> None:
    try:
        action()
    except error:
        return


class _Says:
    """A client whose peer says one thing."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def call(self, *_: Any, **__: Any) -> bytes:
        return self._body


TIP_FIELDS = ["index", "timestamp", "proof", "previous_hash", "merkle_root", "bits", "version"]


@given(
    st.one_of(
        BODIES,
        st.builds(
            lambda value: json.dumps(value).encode(),
            st.fixed_dictionaries(
                dict.fromkeys(
                    [*TIP_FIELDS, "cumulative_work"],
                    st.one_of(st.integers(), st.text("0123456789abcdef", min_size=64, max_size=64)),
                ),
                optional={"headers": values, "transactions": values},
            ),
        ),
    )
)
def test_answers_of_peers(body: bytes) -> None:
    node = HttpNode(_Says(body), "http://127.0.0.1:1")  # type: ignore[arg-type]  # as a client
    _only(PeerFaulty, node.tip)
    _only(PeerFaulty, lambda: node.headers(1, 10))
    _only(PeerFaulty, lambda: node.block(Header.unpack(bytes(SIZE))))
