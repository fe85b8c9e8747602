"""Why a command of ours cannot go on."""

from minequeue.chain.errors import MinequeueError


class NotLive(MinequeueError):
    """The worker is not there, or hangs."""


class StartRefused(MinequeueError):
    """The stack cannot start; the message says what to change."""
