"""A second opinion on a whole chain, from the raw answer of GET /chain.

Written from the wire format alone: it shares no code with what mines and serves the chain, so a
mistake there is not repeated here. It imports the standard library, an RFC 8785 encoder, and
libsodium: another library would judge some signatures otherwise, and find fault with a good chain.
"""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

import rfc8785
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

_BLOCK_KEYS = {
    "bits",
    "hash",
    "index",
    "merkle_root",
    "previous_hash",
    "proof",
    "timestamp",
    "transactions",
    "version",
}
_TRANSACTION_KEYS = {"amount", "id", "nonce", "recipient", "sender"}
_OPTIONAL_KEYS = {"contract", "signature"}
_TWO_HOURS_MS = 7_200_000
_MAX_INTEGER = 2**53 - 1
_U64 = 2**64 - 1


class InvalidChain(Exception):  # its sentence is the finding
    """The chain is not valid.

    Attributes:
        index: the first bad block's place, from 1.
        reason: one sentence.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(index, reason)  # as it is made, so that it can be sent to a process
        self.index = index
        self.reason = reason

    def __str__(self) -> str:
        return f"Block {self.index} is invalid: {self.reason}"


class _Fault(Exception):
    """A rule is broken; the message says which."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rest of the chain needs to know of a block that is good in itself."""

    index: int
    hash: str
    previous_hash: str
    timestamp: int
    bits: int
    proof: int
    ids: list[bytes]


@dataclass(frozen=True, slots=True)
class Summary:
    """A valid chain in numbers.

    Attributes:
        blocks: how many, the genesis block counted.
        transactions: how many, rewards not counted.
        cumulative_work: how many hashes the chain took on average.
        tip: the last block's hash, hex.
    """

    blocks: int
    transactions: int
    cumulative_work: int
    tip: str


def validate_block(block: Any) -> Facts:
    """Check all that needs no other block; a pure function, good for a pool of processes.

    Raises:
        InvalidChain: something is wrong; its index is the block's own, 0 where it has none.
    """
    try:
        _validate_header(block)
        ids = _validate_transactions(block)
    except _Fault as fault:
        index = block.get("index") if isinstance(block, dict) else None
        raise InvalidChain(index if type(index) is int else 0, str(fault)) from None
    return Facts(
        block["index"],
        block["hash"],
        block["previous_hash"],
        block["timestamp"],
        block["bits"],
        block["proof"],
        ids,
    )


class Auditor:
    """Follows a chain from its genesis block, in the memory of its ids.

    Args:
        now_ms: the auditor's clock, Unix milliseconds.
        minimum_bits: the least work of a block but the first.
        network: the name that the first block must have, or None for any.
        find_minimum_bits: gives, in place of minimum_bits, that of the block at an index.
    """

    def __init__(
        self,
        *,
        now_ms: int,
        minimum_bits: int = 1,
        network: str | None = None,
        find_minimum_bits: Callable[[int], int] | None = None,
    ) -> None:
        self._latest = now_ms + _TWO_HOURS_MS
        self._find_minimum_bits = find_minimum_bits or (lambda _: minimum_bits)
        self._network = network
        self._ids: set[bytes] = set()
        self._timestamps: list[int] = []
        self._blocks = 0
        self._work = 0
        self._tip = ""

    @property
    def length(self) -> int:
        """How many blocks it has followed."""
        return self._blocks

    def add(self, block: Any) -> None:
        """Check the next block.

        Raises:
            InvalidChain: it may not follow.
        """
        try:
            facts = validate_block(block)
        except InvalidChain as error:
            raise InvalidChain(self.length + 1, error.reason) from None
        self.add_facts(facts)

    def add_facts(self, facts: Facts) -> None:
        """Check what binds a block, good in itself, to those before it.

        Raises:
            InvalidChain: it may not follow.
        """
        place = self._blocks + 1
        for reason in self._find_breaches(facts, place):
            raise InvalidChain(place, reason)
        self._ids.update(facts.ids)
        self._timestamps = [*self._timestamps[-10:], facts.timestamp]
        self._blocks = place
        self._work += 2**facts.bits
        self._tip = facts.hash

    def summarise(self) -> Summary:
        """The chain so far, in numbers.

        Raises:
            InvalidChain: it has no block, so it is no chain of any network.
        """
        if not self._blocks:
            raise InvalidChain(1, "there is no genesis block.")
        rewards = self._blocks - 1
        return Summary(self._blocks, len(self._ids) - rewards, self._work, self._tip)

    def has(self, transaction_id: str) -> bool:
        """Tell whether the chain so far holds this transaction."""
        return bytes.fromhex(transaction_id) in self._ids

    def _find_breaches(self, facts: Facts, place: int) -> Iterator[str]:
        if facts.index != place:
            yield f"its index is {facts.index}."
        if place == 1:
            if facts.timestamp or facts.proof or facts.bits or facts.ids:
                yield "it is no genesis block."
            name = self._network
            if name is not None and facts.previous_hash != sha256(name.encode()).hexdigest():
                yield f"it is not the genesis block of the network {name!r}."
            return
        if facts.previous_hash != self._tip:
            yield "it does not link to the block before it."
        minimum_bits = self._find_minimum_bits(place)
        if facts.bits < minimum_bits:
            yield f"it has {facts.bits} bits of work, not {minimum_bits}."
        if facts.timestamp <= sorted(self._timestamps)[len(self._timestamps) // 2]:
            yield "its timestamp is not above the median of the last 11 blocks."
        if facts.timestamp > self._latest:
            yield "its timestamp is more than 2 hours in the future."
        if not facts.ids:
            yield "it does not end with a reward."
        if len(set(facts.ids)) != len(facts.ids):
            yield "an id stands twice in it."
        if not self._ids.isdisjoint(facts.ids):
            double = next(i for i in facts.ids if i in self._ids)
            yield f"the transaction {double.hex()} stands in an earlier block as well."


def _validate_header(block: Any) -> None:
    if not isinstance(block, dict) or set(block) != _BLOCK_KEYS:
        raise _Fault(f"it does not have exactly the members {', '.join(sorted(_BLOCK_KEYS))}.")
    for name, largest in (("index", _U64), ("timestamp", _U64), ("proof", _U64), ("bits", 256)):
        if type(block[name]) is not int or not 0 <= block[name] <= largest:
            raise _Fault(f"{name} is not an integer from 0 to {largest}.")
    if type(block["version"]) is not int or block["version"] != 1:
        raise _Fault("its version is not 1.")
    for name in ("previous_hash", "merkle_root", "hash"):
        if not _is_hex(block[name], 32):
            raise _Fault(f"{name} is not 64 lower-case hex digits.")
    header = (
        struct.pack(">IIQQ", 1, block["bits"], block["index"], block["timestamp"])
        + bytes.fromhex(block["previous_hash"])
        + bytes.fromhex(block["merkle_root"])
        + struct.pack(">Q", block["proof"])
    )
    digest = sha256(header).hexdigest()
    if digest != block["hash"]:
        raise _Fault("its hash is not the hash of its header.")
    if int(digest, 16).bit_length() > 256 - block["bits"]:
        raise _Fault(f"its hash does not begin with {block['bits']} zero bits.")


def _validate_transactions(block: dict[str, Any]) -> list[bytes]:
    """Their ids."""
    transactions = block["transactions"]
    if not isinstance(transactions, list):
        raise _Fault("its transactions are not an array.")
    ids, leaves = [], []
    for position, transaction in enumerate(transactions, 1):
        is_last = position == len(transactions)
        try:
            own_id, leaf = _validate_transaction(transaction, block["index"], is_last)
        except _Fault as fault:
            raise _Fault(f"transaction {position} {fault}.") from None
        ids.append(own_id)
        leaves.append(leaf)
    if _merkle_root(leaves).hex() != block["merkle_root"]:
        raise _Fault("its Merkle root is not that of its transactions.")
    return ids


def _validate_transaction(transaction: Any, index: int, is_last: bool) -> tuple[bytes, bytes]:
    """Its id, and its canonical form."""
    fault = _find_fault(transaction)
    if fault:
        raise _Fault(fault)
    try:
        signed, whole = _write(transaction)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        raise _Fault("cannot be written in canonical form") from None
    own_id = sha256(signed).digest()
    if own_id.hex() != transaction["id"]:
        raise _Fault("does not have the hash of its content as its id")
    if "signature" in transaction and not _is_signed(transaction, signed):
        raise _Fault("has a signature that is not its sender's")
    is_reward = transaction["sender"] == "0"
    if is_reward != is_last:
        raise _Fault("is the last and no reward" if is_last else "is a reward and not the last")
    if is_reward and not (
        transaction.keys() == _TRANSACTION_KEYS
        and transaction["amount"] == 1
        and transaction["nonce"] == str(index)
    ):
        raise _Fault("is not the reward that this block may pay")
    return own_id, whole


def _find_fault(transaction: Any) -> str | None:
    """What is wrong with the form of a transaction, or None."""
    if not isinstance(transaction, dict):
        return "is not an object"
    if not _TRANSACTION_KEYS <= transaction.keys() <= _TRANSACTION_KEYS | _OPTIONAL_KEYS:
        return "does not have exactly the members that it may have"
    for name, longest in (("sender", 128), ("recipient", 128), ("nonce", 64)):
        if type(transaction[name]) is not str or not 1 <= len(transaction[name]) <= longest:
            return f"has a {name} that is not a string of 1 to {longest} characters"
    if type(transaction["amount"]) is not int or not 0 <= transaction["amount"] <= _MAX_INTEGER:
        return "has an amount that is not an integer from 0 to 2^53-1"
    if "signature" in transaction:
        if not _is_hex(transaction["signature"], 64):
            return "has a signature that is not 128 lower-case hex digits"
        if not _is_hex(transaction["sender"], 32):
            return "has a signature and a sender that is no public key"
    return None


def _is_signed(transaction: dict[str, Any], signed: bytes) -> bool:
    try:
        VerifyKey(bytes.fromhex(transaction["sender"])).verify(
            signed, bytes.fromhex(transaction["signature"])
        )
    except BadSignatureError:
        return False
    return True


def _write(transaction: dict[str, Any]) -> tuple[bytes, bytes]:
    """The canonical form without id and signature, and the whole one with the id that it claims.

    RFC 8785 sorts members by name, so they stand as here, and the two differ by two pieces.
    """
    head = f'{{"amount":{transaction["amount"]}'
    if "contract" in transaction:
        head += f',"contract":{_write_contract(transaction["contract"])}'
    # a string alone is written by Python as RFC 8785 wants it, section 3.2.2.2
    tail = (
        f',"nonce":{encode_basestring(transaction["nonce"])}'
        f',"recipient":{encode_basestring(transaction["recipient"])}'
        f',"sender":{encode_basestring(transaction["sender"])}'
    )
    signed = f"{head}{tail}}}".encode()
    if "signature" in transaction:
        tail += f',"signature":"{transaction["signature"]}"'
    return signed, f'{head},"id":"{transaction["id"]}"{tail}}}'.encode()


def _write_contract(contract: Any) -> str:
    level, depth = [contract], 0
    while level:
        for value in level:
            if not isinstance(value, (dict, list, str, bool, int, type(None))):
                raise _Fault("has a contract with a value that is not allowed")
            if type(value) is int and abs(value) > _MAX_INTEGER:
                raise _Fault("has a contract with an integer beyond 2^53-1")
        nested = [value for value in level if isinstance(value, (dict, list))]
        depth += bool(nested)
        level = [v for n in nested for v in (n.values() if isinstance(n, dict) else n)]
    if depth > 16:  # noqa: PLR2004  # stated by the wire format
        raise _Fault("has a contract of more than 16 levels")
    written = _canonical(contract)
    if len(written) > 16 * 1024:
        raise _Fault("has a contract of more than 16 KiB")
    return written.decode()


def _canonical(value: Any) -> bytes:
    quick = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # RFC 8785 sorts keys as UTF-16, which in ASCII is Python's order; there are no fractions here
    if quick.isascii():
        return quick.encode()
    return rfc8785.dumps(value)


def _merkle_root(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962."""
    if not leaves:
        return sha256(b"").digest()
    row = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=False)
        odd = row[-1:] if len(row) % 2 else []
        row = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return row[0]


def _is_hex(value: Any, size: int) -> bool:
    return type(value) is str and len(value) == 2 * size and set(value) <= set("0123456789abcdef")
