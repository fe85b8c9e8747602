"""What a submission is called, so that it may be sent again, corrected or not, and pays once.

A line that brings neither nonce nor signature is known by the submission's name, its own text and
its ordinal among equal lines. So it is the same transaction whatever stands around it, in whichever
request it goes, and however often; under another name it is another one.

A file is called by its path and the day of its first sending. That day is kept in a small record,
by which a repetition after midnight finds it. Where it cannot be known whether a repetition is
meant, nothing is sent and the user is asked: neither is a payment lost, nor made twice.
"""

import fcntl
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from minequeue.chain.errors import MinequeueError
from minequeue.chain.protocol import strict_json

_NONCE_DIGITS = 32
_OWN_IDENTITY = frozenset({"nonce", "signature"})


class NameNeeded(MinequeueError):
    """A submission needs a name; the message says why, and which."""


class Identities:
    """Gives lines of one submission their nonces; about 120 bytes of memory for each.

    Args:
        find_name: gives the submission's name; called once, for the first line that needs it.

    Attributes:
        name: the submission's; None until a line needs it.
    """

    def __init__(self, find_name: Callable[[], str]) -> None:
        self._find_name = find_name
        self._seen: Counter[bytes] = Counter()
        self.name: str | None = None

    def complete(self, line: bytes) -> bytes:
        """The line with its nonce, or as it is where it has its own nonce or signature.

        Blanks around it do not count. What is no object of JSON is the node's to refuse.

        Raises:
            MalformedJson: it cannot be read, so that it would have no identity.
            NameNeeded: there is no name, and this line needs it.
        """
        line = line.strip()
        fields = strict_json.loads(line)
        if not isinstance(fields, dict) or not fields or not _OWN_IDENTITY.isdisjoint(fields):
            return line
        if self.name is None:
            self.name = self._find_name()
            if not self.name.strip():  # such as a variable of the shell that is not set
                raise NameNeeded("The --name is empty; all files without one would share it.")
        digest = sha256(line).digest()
        ordinal = self._seen[digest[:8]]
        self._seen[digest[:8]] += 1
        name = sha256(self.name.encode()).digest()
        identity = sha256(name + ordinal.to_bytes(8, "big") + line).hexdigest()
        # the client's own bytes stay as they are
        return b'%b,"nonce":"%b"}' % (line[:-1], identity[:_NONCE_DIGITS].encode())


def find_records(environment: Mapping[str, str]) -> Path:
    """Where the records of what was sent are: with the state of the user's programs (XDG).

    Raises:
        NameNeeded: the user has no home.
    """
    named = Path(environment.get("XDG_STATE_HOME", ""))
    try:
        state = named if named.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise NameNeeded(f"Nothing can be remembered ({error}); give a --name.") from None
    return state / "minequeue" / "sent"


class SentFiles:
    """Remembers when each file was first sent, and whether all of it was accepted then.

    Args:
        directory: of the records; made when it is needed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def begin(self, path: Path, today: str) -> str:
        """The name of the submission that sending ``path`` begins or goes on with.

        A file keeps its name on the day of its first sending, and after it until all of it was
        accepted.

        Args:
            path: of the file, resolved.
            today: the day, in any form in which days are alike only if they are the same.

        Raises:
            NameNeeded: it was accepted whole on another day, or nothing can be remembered of it.
        """
        with self._open(path) as (record, file):
            day = record.get("day", today)
            name = f"{path}@{day}"
            if day != today and record.get("is_whole"):
                raise NameNeeded(
                    f"{path} was sent on {day}, and all of it was accepted. To send what was added "
                    f"or corrected since, give --name {name}; to pay its lines again, another name."
                )
            _write(file, {"path": str(path), "day": day, "is_whole": False})
        return name

    def end(self, path: Path) -> None:
        """All of the file was accepted."""
        with self._open(path) as (record, file):
            _write(file, {**record, "is_whole": True})

    @contextmanager
    def _open(self, path: Path) -> Iterator[tuple[dict[str, Any], IO[bytes]]]:
        name = sha256(os.fsencode(path)).hexdigest()
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self._directory / f"{name}.json").open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                # a line that was cut as it was written does not count: the one before it does
                lines = [line for line in file.read().split(b"\n")[:-1] if line]
                yield (json.loads(lines[-1]) if lines else {}), file
        except (OSError, ValueError) as error:
            raise NameNeeded(
                f"When {path} was first sent cannot be remembered in {self._directory} ({error}); "
                "give the submission a --name."
            ) from None


def _write(file: IO[bytes], record: dict[str, Any]) -> None:
    """Append a line; it is on the disk before anything is sent under its name."""
    file.write(b"\n" * (file.tell() > 0) + json.dumps(record).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
