"""Makes chains from the words of the wire format, with the standard library and nothing of ours."""

import json
import struct
from hashlib import sha256
from typing import Any

BITS = 4


def digest(raw: bytes) -> bytes:
    return sha256(raw).digest()


def canonical(value: Any) -> bytes:
    """RFC 8785, for plain ASCII without escapes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def make_transaction(**fields: Any) -> dict[str, Any]:
    plain = {"sender": "alice", "recipient": "bob", "amount": 1, "nonce": "1", **fields}
    signed = {name: value for name, value in plain.items() if name != "signature"}
    return {**plain, "id": digest(canonical(signed)).hex()}


def make_reward(index: int, recipient: str = "node") -> dict[str, Any]:
    return make_transaction(sender="0", recipient=recipient, nonce=str(index))


def calculate_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return digest(b"")
    if len(leaves) == 1:
        return digest(b"\x00" + leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return digest(b"\x01" + calculate_root(leaves[:split]) + calculate_root(leaves[split:]))


def pack_header(block: dict[str, Any]) -> bytes:
    """The 96 bytes that are hashed."""
    numbers = [block[name] for name in ("version", "bits", "index", "timestamp")]
    hashes = bytes.fromhex(block["previous_hash"]) + bytes.fromhex(block["merkle_root"])
    return struct.pack(">IIQQ", *numbers) + hashes + struct.pack(">Q", block["proof"])


def seal(block: dict[str, Any]) -> dict[str, Any]:
    """Mine ``block`` again after its fields were changed; its Merkle root is taken as it stands."""
    start = pack_header({**block, "proof": 0})[:-8]
    proof = 0
    while True:
        found = digest(start + struct.pack(">Q", proof))
        if int.from_bytes(found, "big") >> (256 - block["bits"]) == 0:
            return {**block, "proof": proof, "hash": found.hex()}
        proof += 1


def make_block(
    previous: dict[str, Any] | None, transactions: list[dict[str, Any]], **fields: Any
) -> dict[str, Any]:
    """The block after ``previous``, or the genesis block of the network "test"."""
    block = {
        "index": previous["index"] + 1 if previous else 1,
        "timestamp": previous["timestamp"] + 1000 if previous else 0,
        "transactions": transactions,
        "previous_hash": previous["hash"] if previous else digest(b"test").hex(),
        "merkle_root": calculate_root([canonical(t) for t in transactions]).hex(),
        "bits": BITS if previous else 0,
        "version": 1,
        **fields,
    }
    return seal(block)


def make_chain(length: int) -> list[dict[str, Any]]:
    chain = [make_block(None, [])]
    for index in range(2, length + 1):
        transactions = [make_transaction(nonce=f"{index}.{n}") for n in range(index % 4)]
        chain.append(make_block(chain[-1], [*transactions, make_reward(index)]))
    return chain
