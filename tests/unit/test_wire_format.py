"""The bytes that independent validators rely on, held against vectors made without this code."""

import json
from hashlib import sha256
from typing import Any

import pytest

from minequeue.chain.protocol import canonical, merkle
from minequeue.chain.protocol.block import Block, join_body
from minequeue.chain.protocol.header import PREFIX_SIZE, SIZE, Header, genesis, put_nonce
from minequeue.chain.protocol.proof_of_work import meets_target
from minequeue.chain.protocol.transaction import reward, validate_transaction
from tests.vectors import load

BITCOIN = load("bitcoin_genesis")
CHAIN = load("chain")
BLOCKS = CHAIN["blocks"]


def _header_of(block: dict[str, Any]) -> Header:
    return Header(
        block["version"],
        block["bits"],
        block["index"],
        block["timestamp"],
        bytes.fromhex(block["previous_hash"]),
        bytes.fromhex(block["merkle_root"]),
        block["proof"],
    )


def _double_sha256(header: str) -> bytes:
    return sha256(sha256(bytes.fromhex(header)).digest()).digest()[::-1]


def test_the_bitcoin_genesis_header_has_its_known_hash_and_43_zero_bits() -> None:
    digest = _double_sha256(BITCOIN["header"])
    assert digest.hex() == BITCOIN["hash"]
    assert meets_target(digest, BITCOIN["zero_bits"])
    assert not meets_target(digest, BITCOIN["zero_bits"] + 1)


def test_one_flipped_byte_loses_the_proof_of_work() -> None:
    assert not meets_target(_double_sha256(BITCOIN["one_byte_flipped"]), 16)


@pytest.mark.parametrize("vector", BLOCKS, ids=lambda v: f"block{v['block']['index']}")
def test_a_header_is_written_to_the_known_96_bytes_and_read_back(vector: dict[str, Any]) -> None:
    header = _header_of(vector["block"])
    assert header.pack().hex() == vector["header"]
    assert Header.unpack(bytes.fromhex(vector["header"])) == header
    assert header.hash.hex() == vector["block"]["hash"]
    assert len(header.pack()) == SIZE
    assert put_nonce(header.prefix, header.proof) == header.pack()
    assert len(header.prefix) == PREFIX_SIZE


@pytest.mark.parametrize("vector", BLOCKS, ids=lambda v: f"block{v['block']['index']}")
def test_a_merkle_root_commits_to_the_canonical_transactions(vector: dict[str, Any]) -> None:
    leaves = [canonical.encode(fields) for fields in vector["block"]["transactions"]]
    assert merkle.calculate_root(leaves).hex() == vector["block"]["merkle_root"]


def test_the_genesis_block_is_the_known_one_of_its_network() -> None:
    assert genesis(CHAIN["network"]).pack().hex() == BLOCKS[0]["header"]
    assert genesis("another").hash != genesis(CHAIN["network"]).hash


@pytest.mark.parametrize("vector", BLOCKS[1:], ids=lambda v: f"block{v['block']['index']}")
def test_transactions_have_their_known_ids(vector: dict[str, Any]) -> None:
    block = vector["block"]
    *others, last = block["transactions"]
    for fields in others:
        assert validate_transaction(fields, index=block["index"], last=False).id == fields["id"]
    assert reward("node", block["index"]).id == last["id"]


def test_what_is_hard_to_write_canonically_is_written_as_rfc_8785_says() -> None:
    fields = BLOCKS[2]["block"]["transactions"][1]
    assert canonical.encode(fields).decode() == CHAIN["hard_transaction_canonical"]


def test_a_block_is_answered_under_the_names_of_the_contract() -> None:
    expected = BLOCKS[2]["block"]
    body = join_body([canonical.encode(fields) for fields in expected["transactions"]])
    assert json.loads(Block(_header_of(expected), body).to_json()) == expected
