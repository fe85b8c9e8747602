"""A transaction: what it may hold, its canonical form and its id.

Leaves out what a balance would allow: this network orders and keeps transactions,
it does not judge who may spend what.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from minequeue.chain.errors import InvalidTransaction, MalformedJson, SignatureRequired
from minequeue.chain.protocol import canonical, signature
from minequeue.chain.protocol.signature import SecretKey
from minequeue.chain.protocol.strict_json import MAX_INTEGER, Json

MAX_ADDRESS = 128  # characters of sender and recipient
MAX_NONCE = 64  # characters
MAX_CONTRACT_BYTES = 16 * 1024  # in canonical form
MAX_CONTRACT_DEPTH = 16  # levels of arrays and objects
REWARD_SENDER = "0"
REWARD_AMOUNT = 1

_REQUIRED = frozenset({"sender", "recipient", "amount"})
_OPTIONAL = frozenset({"nonce", "contract", "signature"})


@dataclass(frozen=True, slots=True)
class Transaction:
    """A valid transaction, ready to stand in a block.

    Attributes:
        id: SHA-256 of the canonical form without id and signature, lower-case hex.
        canonical: RFC 8785 form with id and signature, as it stands in a block, UTF-8.
    """

    id: str
    canonical: bytes


def reward(recipient: str, index: int) -> Transaction:
    """Make the transaction that ends the block at ``index`` (from 2) and pays its miner."""
    return _seal(
        {
            "sender": REWARD_SENDER,
            "recipient": recipient,
            "amount": REWARD_AMOUNT,
            "nonce": str(index),
        }
    )


def accept_submission(
    fields: Json, default_nonce: Callable[[], str], *, signed: bool = False
) -> Transaction:
    """Make a transaction of what a client sent.

    Args:
        fields: the JSON value as it was read.
        default_nonce: gives the nonce where the client left it out.
        signed: whether the network demands a signature.

    Raises:
        InvalidTransaction: a rule is broken; the message names the field and the bound.
        SignatureRequired: it has no signature, and the network demands one.
    """
    checked = _complete(_validate_object(fields), default_nonce)
    if signed and "signature" not in checked:
        raise SignatureRequired(field="signature")
    return _seal(checked)


def sign_submission(fields: Json, key: SecretKey, default_nonce: Callable[[], str]) -> bytes:
    """Sign what a client is about to send.

    Args:
        fields: the transaction as JSON; its sender may be left out, and a signature is replaced.
        key: the sender's.
        default_nonce: gives the nonce where there is none.

    Returns:
        The transaction as a submission, in canonical form.

    Raises:
        InvalidTransaction: a rule is broken, or the sender is another.
    """
    if not isinstance(fields, dict):
        raise InvalidTransaction("A transaction must be a JSON object.")
    unsigned = {"sender": key.address, **fields}
    unsigned.pop("signature", None)
    if unsigned["sender"] != key.address:
        raise InvalidTransaction(
            "sender is not the address of this key; leave it out, or sign with its own key.",
            field="sender",
        )
    checked = _complete(_validate_object(unsigned), default_nonce)
    return canonical.encode({**checked, "signature": key.sign(canonical.encode(checked))})


def _complete(checked: dict[str, Any], default_nonce: Callable[[], str]) -> dict[str, Any]:
    """Check the fields, with a nonce if there was none."""
    if "nonce" not in checked:
        checked = {**checked, "nonce": default_nonce()}
    _validate_fields(checked)
    if checked["sender"] == REWARD_SENDER:
        raise InvalidTransaction(
            'sender "0" is reserved for the reward; give the address that pays.', field="sender"
        )
    return checked


def validate_transaction(
    fields: Json, *, index: int, last: bool, signed: bool = False
) -> Transaction:
    """Check a transaction that stands in the block at ``index``, at its end if ``last``.

    Args:
        fields: its JSON value.
        index: of its block.
        last: whether it ends the block.
        signed: whether the network demands a signature of all but the reward.

    Raises:
        InvalidTransaction: a rule is broken, or the id is not the transaction's own.
    """
    if not isinstance(fields, dict) or not isinstance(fields.get("id"), str):
        raise InvalidTransaction("A transaction in a block must be an object with an id.")
    content: dict[str, Any] = {name: value for name, value in fields.items() if name != "id"}
    if "nonce" not in content:
        raise InvalidTransaction("nonce is missing.", field="nonce")
    _validate_object(content)
    _validate_fields(content)
    transaction = _seal(content)
    if transaction.id != fields["id"]:
        raise InvalidTransaction("The id is not the hash of the transaction.", field="id")
    if last and transaction != reward(content["recipient"], index):
        raise InvalidTransaction("The last transaction of a block must be its reward.")
    if not last and signed and "signature" not in content:
        raise SignatureRequired(field="signature")
    if not last and content["sender"] == REWARD_SENDER:
        raise InvalidTransaction(
            "Only the last transaction of a block is a reward.", field="sender"
        )
    return transaction


def _seal(fields: dict[str, Any]) -> Transaction:
    """Compute the id of checked ``fields`` and verify their signature, if there is one."""
    signed = canonical.encode({k: v for k, v in fields.items() if k != "signature"})
    if "signature" in fields and not signature.is_valid(
        fields["signature"], signed, public_key=fields["sender"]
    ):
        raise InvalidTransaction(
            "signature is not the sender's Ed25519 signature over the transaction's canonical form "
            "without id and signature (both in lower-case hex).",
            field="signature",
        )
    digest = sha256(signed).hexdigest()
    return Transaction(digest, canonical.encode({**fields, "id": digest}))


def _validate_object(fields: Json) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise InvalidTransaction(
            "A transaction must be a JSON object with sender, recipient and amount."
        )
    for name in fields:
        if name not in _REQUIRED and name not in _OPTIONAL:
            raise InvalidTransaction(
                f"{name[:80]!r} is not a field of a transaction; leave it out.", field=name[:80]
            )
    for name in ("sender", "recipient", "amount"):
        if name not in fields:
            raise InvalidTransaction(f"{name} is missing.", field=name)
    return fields


def _validate_fields(fields: dict[str, Any]) -> None:
    _validate_text(fields, "sender", MAX_ADDRESS)
    _validate_text(fields, "recipient", MAX_ADDRESS)
    _validate_text(fields, "nonce", MAX_NONCE)
    amount = fields["amount"]
    # bool is an int to Python, and would stand as true in the canonical form
    if type(amount) is not int or not 0 <= amount <= MAX_INTEGER:
        raise InvalidTransaction(
            f"amount must be an integer from 0 to {MAX_INTEGER} in the smallest unit, written "
            "without fraction or exponent.",
            field="amount",
        )
    if "signature" in fields and type(fields["signature"]) is not str:
        raise InvalidTransaction("signature must be a string of hex digits.", field="signature")
    if "contract" in fields:
        _validate_contract(fields["contract"])


def _validate_text(fields: dict[str, Any], name: str, most: int) -> None:
    value = fields[name]
    if type(value) is not str or not 1 <= len(value) <= most:
        raise InvalidTransaction(f"{name} must be a string of 1 to {most} characters.", field=name)
    if not value.isascii():
        _validate_encodable(value, name)


def _validate_contract(contract: Json) -> None:
    level: list[Any] = [contract]
    for depth in range(MAX_CONTRACT_DEPTH + 2):
        if not all(map(_is_exact, level)):
            raise InvalidTransaction(
                f"A number in contract must be an integer from -{MAX_INTEGER} to {MAX_INTEGER}, "
                "written without fraction or exponent.",
                field="contract",
            )
        level = [value for value in level if isinstance(value, (dict, list))]
        if not level:
            break
        if depth == MAX_CONTRACT_DEPTH:
            raise InvalidTransaction(
                f"contract is nested more than {MAX_CONTRACT_DEPTH} levels deep.", field="contract"
            )
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    size = len(_validate_encodable(contract, "contract"))
    if size > MAX_CONTRACT_BYTES:
        raise InvalidTransaction(
            f"contract is {size} bytes long in canonical form; "
            f"at most {MAX_CONTRACT_BYTES} are allowed.",
            field="contract",
        )


def _is_exact(value: Any) -> bool:
    """Whether it is no number that some readers of JSON would hold differently."""
    return type(value) is not float and (type(value) is not int or abs(value) <= MAX_INTEGER)


def _validate_encodable(value: Json, name: str) -> bytes:
    try:
        return canonical.encode(value)
    except MalformedJson as error:
        raise InvalidTransaction(f"{name}: {error}", field=name) from None
