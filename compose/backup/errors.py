"""Why a backup is not written, or not taken in."""

from minequeue.chain.errors import MinequeueError


class BadBackup(MinequeueError):
    """The file is no whole backup; the message says where it fails."""


class BackupRefused(MinequeueError):
    """The backup is whole and does not belong in this ledger."""


class CannotExport(MinequeueError):
    """The backup cannot be written; the message says why."""


class Reorganised(MinequeueError):
    """The chain was reorganised while it was read; go on with minequeue export FILE --resume."""
