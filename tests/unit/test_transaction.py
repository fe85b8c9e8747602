import json
from typing import Any

import pytest
from nacl.signing import SigningKey

from minequeue.chain.errors import InvalidTransaction, SignatureRequired
from minequeue.chain.protocol import canonical
from minequeue.chain.protocol.signature import SecretKey
from minequeue.chain.protocol.strict_json import MAX_INTEGER
from minequeue.chain.protocol.transaction import (
    MAX_CONTRACT_BYTES,
    MAX_CONTRACT_DEPTH,
    accept_submission,
    reward,
    sign_submission,
    validate_transaction,
)

PLAIN: dict[str, Any] = {"sender": "alice", "recipient": "bob", "amount": 5}


def _accept(**fields: Any) -> dict[str, Any]:
    accepted = accept_submission({**PLAIN, **fields}, lambda: "drawn")
    read: dict[str, Any] = json.loads(accepted.canonical)
    assert read["id"] == accepted.id
    return read


def _nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def _contract_of(size: int) -> str:
    return "x" * (size - 2)  # two quotation marks


def test_a_nonce_is_drawn_only_where_the_client_left_it_out() -> None:
    assert _accept()["nonce"] == "drawn"
    assert _accept(nonce="mine")["nonce"] == "mine"


def test_equal_payments_with_different_nonces_have_different_ids() -> None:
    assert _accept(nonce="1")["id"] != _accept(nonce="2")["id"]
    assert _accept(nonce="1")["id"] == _accept(nonce="1")["id"]


@pytest.mark.parametrize(
    "fields",
    [
        {"sender": "s" * 128},
        {"recipient": "é" * 128},
        {"nonce": "n" * 64},
        {"amount": 0},
        {"amount": MAX_INTEGER},
        {"contract": _nested(MAX_CONTRACT_DEPTH)},
        {"contract": _contract_of(MAX_CONTRACT_BYTES)},
        {"contract": None},
        {"contract": {"a": [True, None, -1, "\u0000 \U0001f600"]}},
    ],
)
def test_each_bound_is_within_what_is_accepted(fields: dict[str, Any]) -> None:
    assert _accept(**fields) == {**PLAIN, "nonce": "drawn", **fields, "id": _accept(**fields)["id"]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sender": ""}, "sender"),
        ({"sender": "s" * 129}, "sender"),
        ({"sender": 1}, "sender"),
        ({"sender": "0"}, "sender"),
        ({"sender": "\ud800"}, "sender"),
        ({"recipient": None}, "recipient"),
        ({"recipient": "r" * 129}, "recipient"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": "n" * 65}, "nonce"),
        ({"nonce": 1}, "nonce"),
        ({"amount": -1}, "amount"),
        ({"amount": MAX_INTEGER + 1}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "5"}, "amount"),
        ({"contract": _nested(MAX_CONTRACT_DEPTH + 1)}, "contract"),
        ({"contract": _contract_of(MAX_CONTRACT_BYTES + 1)}, "contract"),
        ({"contract": {"\udfff": 1}}, "contract"),
        ({"id": "0" * 64}, "id"),
        ({"fee": 1}, "fee"),
        ({"signature": 1}, "signature"),
        ({"signature": "0" * 128}, "signature"),
    ],
)
def test_a_step_past_each_bound_is_refused_and_the_field_named(
    fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        _accept(**fields)
    assert refusal.value.field == field
    assert field in str(refusal.value)


@pytest.mark.parametrize("missing", ["sender", "recipient", "amount"])
def test_a_missing_field_is_named(missing: str) -> None:
    fields = {name: value for name, value in PLAIN.items() if name != missing}
    with pytest.raises(InvalidTransaction, match=f"{missing} is missing"):
        accept_submission(fields, lambda: "n")


@pytest.mark.parametrize("value", [None, 1, "text", [], [PLAIN]])
def test_what_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(InvalidTransaction, match="must be a JSON object"):
        accept_submission(value, lambda: "n")


def _signed(key: SigningKey, **fields: Any) -> dict[str, Any]:
    content = {**PLAIN, "nonce": "1", "sender": bytes(key.verify_key).hex(), **fields}
    return {**content, "signature": key.sign(canonical.encode(content)).signature.hex()}


def test_a_signature_by_the_sender_is_accepted_and_not_part_of_the_id() -> None:
    signed = _signed(SigningKey(b"\1" * 32))
    unsigned = {name: value for name, value in signed.items() if name != "signature"}
    assert _accept(**signed)["id"] == _accept(**unsigned)["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 6},
        {"sender": bytes(SigningKey(b"\2" * 32).verify_key).hex()},
        {"sender": "alice"},
        {"sender": "01" + "00" * 31},  # a point of small order, for which any message can be signed
    ],
)
def test_a_forged_sender_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        _accept(**{**_signed(SigningKey(b"\1" * 32)), **change})
    assert refusal.value.field == "signature"


ORDER = 2**252 + 27742317777372353535851937790883648493  # of the base point (RFC 8032, section 5.1)
FIELD = 2**255 - 19
# all points whose order divides 8, in every encoding that decoders have been seen to take
SMALL_ORDER = (
    "00" * 32,
    "01" + "00" * 31,
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)


@pytest.mark.parametrize("key", SMALL_ORDER)
def test_a_key_of_small_order_signs_nothing(key: str) -> None:
    # R = A and S = 0 is what a careless verifier takes for every message
    for signature in (key + "00" * 32, "01" + "00" * 63):
        with pytest.raises(InvalidTransaction) as refusal:
            _accept(**{**PLAIN, "nonce": "1", "sender": key, "signature": signature})
        assert refusal.value.field == "signature"


def test_a_signature_whose_scalar_is_not_reduced_is_refused() -> None:
    signed = _signed(SigningKey(b"\1" * 32))
    raw = bytes.fromhex(signed["signature"])
    scalar = int.from_bytes(raw[32:], "little")
    malleated = (raw[:32] + (scalar + ORDER).to_bytes(32, "little")).hex()
    with pytest.raises(InvalidTransaction, match="not the sender's"):
        _accept(**{**signed, "signature": malleated})


@pytest.mark.parametrize("y", [FIELD, FIELD + 1, FIELD + 3, 2**255 - 1])
def test_a_key_that_is_not_reduced_is_refused(y: int) -> None:
    signed = _signed(SigningKey(b"\1" * 32))
    with pytest.raises(InvalidTransaction, match="not the sender's"):
        _accept(**{**signed, "sender": y.to_bytes(32, "little").hex()})


@pytest.mark.parametrize("digits", [126, 130])
def test_a_signature_of_another_length_is_refused(digits: int) -> None:
    signed = _signed(SigningKey(b"\1" * 32))
    with pytest.raises(InvalidTransaction, match="not the sender's"):
        _accept(**{**signed, "signature": (signed["signature"] + "00")[:digits]})


def test_a_key_signs_as_rfc_8032_does() -> None:
    key = SecretKey(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    assert key.address == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"") == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_a_key_tells_its_secret_to_nobody() -> None:
    key = SecretKey()
    assert key.seed.hex() not in repr(key) + str(key)
    assert SecretKey().seed != key.seed


def test_what_is_signed_here_is_accepted() -> None:
    key = SecretKey(b"\1" * 32)
    submission = sign_submission({"recipient": "bob", "amount": 5}, key, lambda: "n")
    assert accept_submission(json.loads(submission), lambda: "", signed=True).id
    again = sign_submission(json.loads(submission), key, lambda: "other")
    assert again == submission


def test_nobody_signs_for_another_sender() -> None:
    with pytest.raises(InvalidTransaction, match="not the address of this key") as refusal:
        sign_submission({**PLAIN, "sender": "alice"}, SecretKey(), lambda: "n")
    assert refusal.value.field == "sender"


def test_where_signatures_are_demanded_an_unsigned_transaction_is_refused() -> None:
    with pytest.raises(SignatureRequired):
        accept_submission(PLAIN, lambda: "n", signed=True)
    accepted = json.loads(accept_submission(PLAIN, lambda: "n").canonical)
    with pytest.raises(SignatureRequired):
        validate_transaction(accepted, index=7, last=False, signed=True)
    paid = json.loads(reward("node", 7).canonical)
    assert validate_transaction(paid, index=7, last=True, signed=True) == reward("node", 7)


def test_a_signature_has_one_spelling() -> None:
    signed = _signed(SigningKey(b"\1" * 32))
    with pytest.raises(InvalidTransaction, match="lower-case hex"):
        _accept(**{**signed, "signature": signed["signature"].upper()})


def test_a_reward_pays_one_and_only_at_the_end_of_its_block() -> None:
    fields = json.loads(reward("node", 7).canonical)
    assert fields == {
        "sender": "0",
        "recipient": "node",
        "amount": 1,
        "nonce": "7",
        "id": fields["id"],
    }
    assert validate_transaction(fields, index=7, last=True) == reward("node", 7)
    with pytest.raises(InvalidTransaction, match="must be its reward"):
        validate_transaction(fields, index=8, last=True)
    with pytest.raises(InvalidTransaction, match="Only the last"):
        validate_transaction(fields, index=7, last=False)


@pytest.mark.parametrize("change", [{"amount": 6}, {"id": "0" * 64}, {"id": 1}])
def test_an_id_that_is_not_the_transactions_own_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidTransaction, match="id"):
        validate_transaction({**_accept(), **change}, index=2, last=False)


def test_a_transaction_in_a_block_must_have_its_nonce() -> None:
    fields = {name: value for name, value in _accept().items() if name != "nonce"}
    with pytest.raises(InvalidTransaction, match="nonce is missing"):
        validate_transaction(fields, index=2, last=False)
