"""Ed25519 signatures (RFC 8032), verified by libsodium alone.

A second library beside it would split the chain: some accept a signature by a small-order
key for any message, libsodium refuses those keys, non-canonical points and malleated scalars.
"""

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


def is_valid(signature: str, message: bytes, *, public_key: str) -> bool:
    """Tell whether ``signature`` over ``message`` is by ``public_key``, both lower-case hex."""
    key = _from_hex(public_key, _KEY_BYTES)
    raw = _from_hex(signature, _SIGNATURE_BYTES)
    if key is None or raw is None:
        return False
    try:
        VerifyKey(key).verify(message, raw)
    except BadSignatureError:
        return False
    return True


def _from_hex(text: str, size: int) -> bytes | None:
    # one spelling for one value: upper case or blanks would make a second id of the same bytes
    if len(text) != 2 * size or not set(text) <= set("0123456789abcdef"):
        return None
    return bytes.fromhex(text)
