"""The independent auditor finds each fault, and names the block and the reason."""

import struct
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given

from chain import audit
from chain.audit import Auditor, InvalidChain
from tests.independent import (
    BITS,
    make_block,
    make_chain,
    make_reward,
    make_transaction,
    seal,
)
from tests.unit.test_canonical import values
from tests.vectors import load

Block = dict[str, Any]
NOW_MS = 10_000_000
CHAIN = make_chain(15)


def _audit(chain: list[Block], **options: Any) -> Auditor:
    auditor = Auditor(**{"now_ms": NOW_MS, "minimum_bits": BITS, "network": "test", **options})
    for block in chain:
        auditor.add(block)
    return auditor


def _refusal(chain: list[Block], **options: Any) -> InvalidChain:
    with pytest.raises(InvalidChain) as refusal:
        _audit(chain, **options)
    return refusal.value


def _last_with(*transactions: Any, **fields: Any) -> list[Block]:
    """The chain with another last block, mined anew."""
    index = CHAIN[-1]["index"]
    body = [*transactions, make_reward(index)]
    return [*CHAIN[:-1], make_block(CHAIN[-2], body, **fields)]


def test_a_valid_chain_is_summed_up() -> None:
    summary = _audit(CHAIN).summarise()
    transactions = sum(len(block["transactions"]) - 1 for block in CHAIN[1:])
    assert (summary.blocks, summary.transactions) == (15, transactions)
    assert summary.cumulative_work == 1 + 14 * 2**BITS
    assert summary.tip == CHAIN[-1]["hash"]


def test_the_known_chain_is_valid_with_all_that_is_hard_to_write() -> None:
    vectors = load("chain")
    blocks = [vector["block"] for vector in vectors["blocks"]]
    auditor = _audit(blocks, network="minequeue", minimum_bits=8, now_ms=2 * 10**12)
    assert auditor.has(blocks[2]["transactions"][1]["id"])
    assert not auditor.has("0" * 64)


@given(values)
def test_the_auditors_own_canonical_form_is_that_of_rfc_8785(value: object) -> None:
    assert audit._canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


def _resealed(**fields: Any) -> Callable[[Block], Block]:
    return lambda block: seal({**block, **fields})


def _without(name: str) -> Callable[[Block], Block]:
    return lambda block: {key: value for key, value in block.items() if key != name}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without("bits"), "members"),
        (lambda block: {**block, "extra": 1}, "members"),
        (lambda _: None, "members"),
        (lambda block: {**block, "proof": True}, "proof is not an integer"),
        (lambda block: {**block, "proof": -1}, "proof is not an integer"),
        (lambda block: {**block, "index": "15"}, "index is not an integer"),
        (lambda block: {**block, "timestamp": 2**64}, "timestamp is not an integer"),
        (lambda block: {**block, "bits": 257}, "bits is not an integer"),
        (_resealed(version=2), "version"),
        (lambda block: {**block, "merkle_root": "A" * 64}, "merkle_root is not 64"),
        (lambda block: {**block, "previous_hash": "0"}, "previous_hash is not 64"),
        (lambda block: {**block, "timestamp": block["timestamp"] + 1}, "hash of its header"),
        (lambda block: {**block, "hash": "0" * 64}, "hash of its header"),
        (_resealed(bits=BITS - 1), f"{BITS - 1} bits of work, not {BITS}"),
        (_resealed(merkle_root="0" * 64), "Merkle root"),
        (_resealed(previous_hash="0" * 64), "does not link"),
        (_resealed(timestamp=CHAIN[-7]["timestamp"]), "median of the last 11"),
        (_resealed(timestamp=NOW_MS + 7_200_001), "2 hours in the future"),
    ],
)
def test_a_bad_last_block_is_named_with_the_reason(
    change: Callable[[Block], Any], reason: str
) -> None:
    refusal = _refusal([*CHAIN[:-1], change(CHAIN[-1])])
    assert refusal.index == 15
    assert reason in refusal.reason


def test_times_at_their_bounds_are_valid() -> None:
    for timestamp in (CHAIN[-7]["timestamp"] + 1, NOW_MS + 7_200_000):
        _audit([*CHAIN[:-1], seal({**CHAIN[-1], "timestamp": timestamp})])


def test_a_hash_that_misses_its_target_is_named() -> None:
    block = CHAIN[-1]
    miss = next(
        found
        for proof in range(block["proof"] + 1, block["proof"] + 1000)
        if (found := _with_proof(block, proof))["hash"][0] != "0"
    )
    assert "zero bits" in _refusal([*CHAIN[:-1], miss]).reason


def _with_proof(block: Block, proof: int) -> Block:
    easy = seal({**block, "bits": 0})
    assert easy["proof"] == 0
    header = struct.pack(">IIQQ", 1, block["bits"], block["index"], block["timestamp"])
    header += bytes.fromhex(block["previous_hash"]) + bytes.fromhex(block["merkle_root"])
    digest = sha256(header + proof.to_bytes(8, "big")).hexdigest()
    return {**block, "proof": proof, "hash": digest}


def test_a_missing_block_in_the_middle_is_noticed_where_it_is_missing() -> None:
    assert _refusal(CHAIN[:5] + CHAIN[6:]).index == 6
    assert "index" in _refusal(CHAIN[:5] + CHAIN[6:]).reason


@pytest.mark.parametrize("change", [{"bits": 1}, {"timestamp": 1}])
def test_a_first_block_that_is_no_genesis_is_refused(change: dict[str, int]) -> None:
    assert "no genesis" in _refusal([seal({**CHAIN[0], **change}), *CHAIN[1:]]).reason


def test_another_networks_chain_is_refused() -> None:
    refusal = _refusal(CHAIN, network="other")
    assert refusal.index == 1
    assert "network 'other'" in refusal.reason


def _nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("transaction", "reason"),
    [
        (None, "not an object"),
        ({**make_transaction(), "fee": 1}, "members"),
        (_without("nonce")(make_transaction()), "members"),
        (make_transaction(amount=-1), "amount"),
        (make_transaction(amount=2**53), "amount"),
        (make_transaction(amount=True), "amount"),
        (make_transaction(amount=1.0), "amount"),
        (make_transaction(sender=""), "sender"),
        (make_transaction(sender="s" * 129), "sender"),
        (make_transaction(recipient="r" * 129), "recipient"),
        (make_transaction(nonce="n" * 65), "nonce"),
        (make_transaction(nonce=1), "nonce"),
        (make_transaction(contract=1.5), "not allowed"),
        (make_transaction(contract=[2**53]), "beyond 2^53-1"),
        (make_transaction(contract=_nested(17)), "16 levels"),
        (make_transaction(contract="x" * (16 * 1024 - 1)), "16 KiB"),
        (make_transaction(signature="x"), "signature"),
        ({**make_transaction(), "id": "0" * 64}, "as its id"),
        (make_transaction(sender="0"), "reward and not the last"),
    ],
)
def test_a_bad_transaction_is_named_with_its_position(transaction: Any, reason: str) -> None:
    refusal = _refusal(_last_with(make_transaction(nonce="good"), transaction))
    assert refusal.index == 15
    assert "transaction 2 " in refusal.reason
    assert reason in refusal.reason


@pytest.mark.parametrize(
    "transaction",
    [
        make_transaction(amount=0),
        make_transaction(amount=2**53 - 1),
        make_transaction(sender="s" * 128, nonce="n" * 64),
        make_transaction(contract=_nested(16)),
        make_transaction(contract="x" * (16 * 1024 - 2)),
        make_transaction(contract=None),
    ],
)
def test_a_transaction_at_its_bounds_is_valid(transaction: Block) -> None:
    assert _audit(_last_with(transaction)).has(transaction["id"])


@pytest.mark.parametrize(
    "last",
    [
        make_transaction(),
        make_reward(14),
        make_transaction(sender="0", nonce="15", amount=2, recipient="node"),
        make_transaction(sender="0", nonce="15", recipient="node", contract=1),
    ],
)
def test_a_block_ends_with_its_own_reward(last: Block) -> None:
    refusal = _refusal([*CHAIN[:-1], make_block(CHAIN[-2], [last])])
    assert "reward" in refusal.reason


def test_an_empty_block_lacks_its_reward() -> None:
    assert "reward" in _refusal([*CHAIN[:-1], make_block(CHAIN[-2], [])]).reason


def test_an_id_stands_once_in_a_block_and_once_in_a_chain() -> None:
    again = make_transaction(nonce="again")
    assert "twice" in _refusal(_last_with(again, again)).reason
    earlier = CHAIN[2]["transactions"][0]
    assert f"{earlier['id']} stands in an earlier block" in _refusal(_last_with(earlier)).reason
