"""A file that holds a secret key: readable by its owner alone, and never overwritten."""

import json
import os
from pathlib import Path
from typing import Any

from minequeue.chain.errors import MalformedJson, MinequeueError
from minequeue.chain.protocol import strict_json
from minequeue.chain.protocol.signature import SecretKey
from minequeue.compose.text.file import drop_mark

_OTHERS = 0o077
_MAX_BYTES = 4096


class BadKeyFile(MinequeueError):
    """The key file cannot be used; make one with `minequeue key new`."""


def write_key(path: Path) -> SecretKey:
    """Draw a key and keep it in ``path``.

    Raises:
        BadKeyFile: the file is there already, or cannot be made.
    """
    key = SecretKey()
    text = json.dumps({"address": key.address, "secret_key": key.seed.hex()}) + "\n"
    try:
        # O_EXCL: a key that is overwritten is lost with all that its address holds
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadKeyFile(f"{path} cannot be made: {error.strerror}.") from None
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return key


def read_key(path: Path) -> SecretKey:
    """The key in ``path``.

    Raises:
        BadKeyFile: there is none, or others than its owner may read it.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise BadKeyFile(f"{path} may be read by others; say chmod 600 {path}.")
            text = drop_mark(file.read(_MAX_BYTES))
    except OSError as error:
        raise BadKeyFile(f"{path} cannot be read: {error.strerror}.") from None
    try:
        found: Any = strict_json.loads(text)
        # libsodium refuses a seed that has not 32 bytes by the first of these
        key = SecretKey(bytes.fromhex(found["secret_key"]))
    except (MalformedJson, ValueError, KeyError, TypeError):
        # no cause is given on: it would show what the file holds
        raise BadKeyFile(f"{path} does not hold a key of minequeue.") from None
    if found.get("address") != key.address:
        raise BadKeyFile(f"{path} names another address than its key has.")
    return key
