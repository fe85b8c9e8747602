"""The fast path for the usual submission: plain transactions, read and sealed in one pass.

Plain is a transaction in ASCII without a backslash, contract or signature, which breaks no rule.
Whatever is not plain is for :mod:`chain.protocol.strict_json` and
:mod:`chain.protocol.transaction` to read or to refuse: both ways give the same transaction, and
only they refuse. This one is for speed alone.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from minequeue.chain.protocol.strict_json import MAX_INTEGER
from minequeue.chain.protocol.transaction import MAX_ADDRESS, MAX_NONCE, REWARD_SENDER, Transaction


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    sender: str
    recipient: str
    # a float where it was written as 1.0 or 1e3. No type here holds others, so this decoder alone
    # goes into no depth, and needs no bound of it.
    amount: int | float
    nonce: str | msgspec.UnsetType = msgspec.UNSET


_decode_one = msgspec.json.Decoder(_Plain).decode
_decode_array = msgspec.json.Decoder(list[_Plain]).decode
# quotation marks around the three keys and two texts that are always there, and of a nonce
_MARKS, _NONCE_MARKS = 10, 4


def read_one(raw: bytes, default_nonce: Callable[[int], str]) -> Transaction | None:
    """Read the plain transaction that ``raw`` is, or give None.

    Args:
        raw: the body.
        default_nonce: gives the nonce of the entry at a position, where it has none.
    """
    sealed = _read(raw, lambda: [_decode_one(raw)], default_nonce, 1)
    return sealed[0] if sealed else None


def read_array(
    raw: bytes, default_nonce: Callable[[int], str], *, most: int
) -> list[Transaction] | None:
    """Read the JSON array of up to ``most`` plain transactions that ``raw`` is, or give None."""
    return _read(raw, lambda: _decode_array(raw), default_nonce, most)


def read_lines(
    lines: Sequence[bytes], default_nonce: Callable[[int], str], *, most: int
) -> list[Transaction] | None:
    """Read up to ``most`` plain transactions, one of each line, or give None."""
    # one by one: a decoder of all of them takes an entry that goes over two lines
    return _read(
        b"".join(lines), lambda: [_decode_one(line) for line in lines], default_nonce, most
    )


def _read(
    raw: bytes,
    decode: Callable[[], list[_Plain]],
    default_nonce: Callable[[int], str],
    most: int,
) -> list[Transaction] | None:
    if not raw.isascii() or b"\\" in raw:
        return None
    try:
        entries = decode()
    except msgspec.DecodeError:
        return None
    if len(entries) > most:
        return None
    sealed: list[Transaction] = []
    marks = _MARKS * len(entries)
    for position, entry in enumerate(entries):
        nonce = entry.nonce
        if nonce is msgspec.UNSET:
            nonce = default_nonce(position)
        else:
            marks += _NONCE_MARKS
        transaction = _seal(entry.sender, entry.recipient, entry.amount, nonce)
        if transaction is None:
            return None
        sealed.append(transaction)
    # Without a backslash each mark begins or ends a string. The decoder lets a key that stands
    # twice pass; then there are more strings than the keys and texts that it gave.
    return sealed if raw.count(b'"') == marks else None


def _seal(sender: str, recipient: str, amount: float, nonce: str) -> Transaction | None:
    if not (
        1 <= len(sender) <= MAX_ADDRESS
        and sender != REWARD_SENDER
        and 1 <= len(recipient) <= MAX_ADDRESS
        and 1 <= len(nonce) <= MAX_NONCE
        and type(amount) is int
        and 0 <= amount <= MAX_INTEGER
    ):
        return None
    # the canonical form: keys in order, no blanks, and nothing in the texts that needs an escape
    rest = f'"nonce":"{nonce}","recipient":"{recipient}","sender":"{sender}"}}'
    digest = sha256(f'{{"amount":{amount},{rest}'.encode()).hexdigest()
    return Transaction(digest, f'{{"amount":{amount},"id":"{digest}",{rest}'.encode())
