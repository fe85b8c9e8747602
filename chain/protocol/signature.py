"""Ed25519 signatures (RFC 8032), verified by libsodium alone.

A second library beside it would split the chain: some accept a signature by a small-order
key for any message, libsodium refuses those keys, non-canonical points and malleated scalars.
"""

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

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


class SecretKey:
    """A key that signs; neither its repr nor its text tell it.

    Args:
        seed: the 32 bytes that it is made from (RFC 8032, section 5.1.5), or None to draw them.

    Attributes:
        address: the public key in lower-case hex, the sender of what it signs.
        seed: as given or drawn; the secret.
    """

    def __init__(self, seed: bytes | None = None) -> None:
        key = SigningKey.generate() if seed is None else SigningKey(seed)
        self._key = key
        self.seed: bytes = bytes(key)
        self.address: str = bytes(key.verify_key).hex()

    def sign(self, message: bytes) -> str:
        """The signature over ``message``, lower-case hex."""
        return self._key.sign(message).signature.hex()

    def __repr__(self) -> str:
        return f"SecretKey(address={self.address!r})"


def _from_hex(text: str, size: int) -> bytes | None:
    # one spelling for one value: upper case or blanks would make a second id of the same bytes
    if len(text) != 2 * size or not set(text) <= set("0123456789abcdef"):
        return None
    return bytes.fromhex(text)
