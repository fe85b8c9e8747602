"""The independent auditor finds each fault, and names the block and the reason."""

import ast
import pickle
import struct
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from minequeue.chain import audit
from minequeue.chain.audit import Auditor, InvalidChain
from tests.independent import (
    BITS,
    calculate_root,
    canonical,
    make_block,
    make_chain,
    make_reward,
    make_transaction,
    seal,
)
from tests.unit.test_canonical import texts, values
from tests.vectors import load

Block = dict[str, Any]
NOW_MS = 10_000_000
CHAIN = make_chain(15)
PUBLIC_KEY = "a1" * 32
SIGNATURE = "b2" * 64


def _audit(chain: list[Block], **options: Any) -> Auditor:
    auditor = Auditor(**{"now_ms": NOW_MS, "minimum_bits": BITS, "network": "test", **options})
    for block in chain:
        auditor.add(block)
    return auditor


def _make_signed(**fields: Any) -> Block:
    """A transaction with its sender's signature."""
    key = SigningKey(b"\1" * 32)
    plain = make_transaction(sender=bytes(key.verify_key).hex(), **fields)
    return {**plain, "signature": key.sign(canonical(_without_id(plain))).signature.hex()}


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


def _without_id(transaction: Block, *others: str) -> Block:
    return {k: v for k, v in transaction.items() if k not in {"id", *others}}


@given(
    st.fixed_dictionaries(
        {
            "sender": texts,
            "recipient": texts,
            "nonce": texts,
            "amount": st.integers(0, 2**53 - 1),
            "id": st.just("0" * 64),
        },
        optional={"contract": values, "signature": st.just(SIGNATURE)},
    )
)
def test_a_transactions_two_forms_are_those_of_rfc_8785(transaction: Block) -> None:
    signed = rfc8785.dumps(_without_id(transaction, "signature"))
    assert audit._write(transaction) == (signed, rfc8785.dumps(transaction))


def test_every_character_is_written_as_rfc_8785_writes_it() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    signed, _ = audit._write({**make_transaction(), "recipient": every})
    assert rfc8785.dumps(every) in signed


def test_it_shares_no_code_with_what_makes_the_chain() -> None:
    tree = ast.walk(ast.parse(Path(audit.__file__).read_text()))
    imported = {
        name.partition(".")[0]
        for node in tree
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
    }
    assert imported - sys.stdlib_module_names == {"nacl", "rfc8785"}


def test_a_finding_comes_whole_from_another_process() -> None:
    finding = pickle.loads(pickle.dumps(InvalidChain(7, "it is bad.")))
    assert (finding.index, str(finding)) == (7, "Block 7 is invalid: it is bad.")


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
        (lambda block: {**block, "version": True}, "version"),
        (lambda block: {**block, "version": 1.0}, "version"),
        (lambda block: {**block, "transactions": {}}, "not an array"),
        (lambda block: {**block, "transactions": block["transactions"][::-1]}, "reward"),
        (lambda block: {**block, "transactions": block["transactions"][1:]}, "Merkle root"),
        (lambda block: {**block, "transactions": _swapped(block)}, "Merkle root"),
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


def _swapped(block: Block) -> list[Block]:
    first, second, *others = block["transactions"]
    return [second, first, *others]


def test_times_at_their_bounds_are_valid() -> None:
    for timestamp in (CHAIN[-7]["timestamp"] + 1, NOW_MS + 7_200_000):
        _audit([*CHAIN[:-1], seal({**CHAIN[-1], "timestamp": timestamp})])


def test_a_hash_that_misses_its_target_is_named() -> None:
    block = CHAIN[-1]
    miss = next(
        found
        for proof in range(block["proof"] + 1, block["proof"] + 1000)
        if (found := _with_proof(block, proof))["hash"][0] == "1"  # one zero bit too few
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


def test_a_first_block_with_work_is_no_genesis() -> None:
    roots = (sha256(b"%d" % n).hexdigest() for n in range(100))
    blocks = (make_block(None, [], bits=1, previous_hash=root) for root in roots)
    found = next(block for block in blocks if block["proof"] == 0)
    assert "no genesis" in _refusal([found], network=None).reason


def test_a_first_block_with_a_proof_or_a_transaction_is_no_genesis() -> None:
    assert "no genesis" in _refusal([_with_proof(CHAIN[0], 1)]).reason
    assert "no genesis" in _refusal([make_block(None, [make_reward(1)])]).reason


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
        (make_transaction(contract={"a": [None, {"b": -(2**53)}]}), "beyond 2^53-1"),
        (make_transaction(sender=PUBLIC_KEY, signature="x"), "signature"),
        (make_transaction(sender=PUBLIC_KEY, signature=SIGNATURE.upper()), "signature"),
        (make_transaction(sender=PUBLIC_KEY, signature=None), "signature"),
        (make_transaction(sender=PUBLIC_KEY.upper(), signature=SIGNATURE), "no public key"),
        (make_transaction(sender="alice", signature=SIGNATURE), "no public key"),
        ({**make_transaction(), "id": "0" * 64}, "as its id"),
        ({**make_transaction(), "id": make_transaction()["id"].upper()}, "as its id"),
        ({**make_transaction(), "id": None}, "as its id"),
        ({**make_transaction(), "id": ["x"]}, "as its id"),
        ({**make_transaction(), "id": "\ud800"}, "canonical form"),
        ({**make_transaction(), "amount": 2}, "as its id"),
        ({**make_transaction(), "nonce": "2"}, "as its id"),
        ({**make_transaction(), "sender": "bob", "recipient": "alice"}, "as its id"),
        ({**make_transaction(), "contract": None}, "as its id"),
        ({**make_transaction(contract={"a": 1}), "contract": {"a": True}}, "as its id"),
        (_without("contract")(make_transaction(contract=1)), "as its id"),
        # the pieces of the written form must not pass from one member to another
        ({**make_transaction(), "nonce": '1","recipient":"b'}, "as its id"),
        (make_transaction(sender="\ud800"), "canonical form"),
        (make_transaction(recipient="\udfff"), "canonical form"),
        (make_transaction(nonce="\ud800"), "canonical form"),
        (make_transaction(contract={"a": ["\ud800"]}), "canonical form"),
        (make_transaction(contract={"\ud800": 1}), "canonical form"),
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
        make_transaction(contract=[2**53 - 1, -(2**53 - 1), True, {"": {}}]),
        _make_signed(),
    ],
)
def test_a_transaction_at_its_bounds_is_valid(transaction: Block) -> None:
    assert _audit(_last_with(transaction)).has(transaction["id"])


def test_members_may_come_in_any_order() -> None:
    full = _make_signed(contract={"a": 2, "b": 1})
    block = _last_with(full, plain := make_transaction(nonce="2"))[-1]
    turned = [dict(reversed(each.items())) for each in block["transactions"]]
    turned[0]["contract"] = {"b": 1, "a": 2}
    auditor = _audit([*CHAIN[:-1], dict(reversed({**block, "transactions": turned}.items()))])
    assert auditor.has(full["id"])
    assert auditor.has(plain["id"])


@pytest.mark.parametrize("text", ['"', "\\", "\x00\x1f\x7f", "zoë", "\u2028", "\U0001f600\ufb33"])
def test_texts_that_are_hard_to_write_are_valid_as_rfc_8785_writes_them(text: str) -> None:
    plain: Block = {
        "sender": text,
        "recipient": text,
        "nonce": text,
        "amount": 1,
        "contract": {text: 1},
    }
    hard = {**plain, "id": sha256(rfc8785.dumps(plain)).hexdigest()}
    body = [hard, make_reward(15)]
    root = calculate_root([rfc8785.dumps(each) for each in body])
    chain = [*CHAIN[:-1], make_block(CHAIN[-2], body, merkle_root=root.hex())]
    assert _audit(chain).has(hard["id"])


def test_the_merkle_root_commits_to_the_signature() -> None:
    signed = _make_signed()
    last = _last_with(signed)[-1]
    changed = {**last, "transactions": [_without("signature")(signed), last["transactions"][-1]]}
    assert "Merkle root" in _refusal([*CHAIN[:-1], changed]).reason


def test_a_signature_that_is_not_its_senders_is_found() -> None:
    signed = _make_signed()
    for forged in (
        {**signed, "signature": "b3" + signed["signature"][2:]},
        make_transaction(sender=PUBLIC_KEY, signature=SIGNATURE),
        make_transaction(sender="01" + "00" * 31, signature="01" + "00" * 63),
    ):
        assert "not its sender's" in _refusal(_last_with(forged)).reason


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
