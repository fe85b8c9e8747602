"""Why the ledger's server cannot be used, for whoever has just named it."""

from collections.abc import Iterator
from contextlib import contextmanager

from chain.errors import LedgerUnavailable, MinequeueError, UnsafeServer


class NoServer(MinequeueError):
    """The server does not answer; start it or the stack, or correct MINEQUEUE_REDIS_URL."""


@contextmanager
def saying_why_no_server_answers() -> Iterator[None]:
    """Tell how the last try failed, in the library's own words; they hold no password.

    Raises:
        NoServer: in place of LedgerUnavailable.
    """
    try:
        yield
    except UnsafeServer:
        raise  # it answered, and the message is whole
    except LedgerUnavailable as error:
        reason = str(error.__cause__).rstrip(".")
        raise NoServer(
            f"The ledger's server does not answer ({reason}); "
            "start it or the stack, or correct MINEQUEUE_REDIS_URL."
        ) from error
