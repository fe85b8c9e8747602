"""From settings to a ledger, its rules, its bounds and its policy: derived here alone.

Stack, checks and simulations ask here, so that none of them can forget a setting.
"""

from minequeue.chain.ledger import Ledger, open_redis
from minequeue.chain.ledger.redis_url import write_socket
from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.scaling.policy import Policy
from minequeue.compose.config.embedded import socket_path
from minequeue.compose.config.ownership import check_way
from minequeue.compose.config.settings import Settings


def make_rules(settings: Settings) -> Rules:
    """What shapes blocks."""
    return Rules(
        network=settings.network,
        bits=settings.bits,
        block_interval_s=settings.block_interval,
        block_transactions=settings.block_transactions,
        block_bytes=settings.block_bytes,
        signed=settings.signatures == "required",
    )


def make_bounds(settings: Settings) -> Bounds:
    """How much may wait."""
    return Bounds(pending=settings.max_pending[0], pending_bytes=settings.max_pending[1])


def make_policy(settings: Settings) -> Policy:
    """How many miners there should be."""
    # of the fleet: by the miners of its own machine alone, no worker would wake another's
    least, most = settings.fleet or settings.miners
    return Policy(least, most, settings.target_drain_time, settings.quiet_time)


def server_url(settings: Settings) -> str:
    """The ledger's server: the one that is named, else the embedded one of the data directory.

    Raises:
        StartRefused: somebody else could have put a server of his own there.
    """
    if settings.redis_url:
        return settings.redis_url
    socket = socket_path(settings.data_dir)
    check_way(socket)
    return write_socket(socket)


def open_ledger(settings: Settings) -> Ledger:
    """A ledger; nothing is sent to its server yet."""
    return Ledger(
        open_redis(server_url(settings), wait_s=settings.redis_wait),
        make_rules(settings),
        make_bounds(settings),
    )


def make_ledger(settings: Settings) -> Ledger:
    """A ledger that has at least a genesis block.

    Raises:
        UnusableLedger: it is not one for these settings.
        LedgerUnavailable: the server does not answer.
    """
    ledger = open_ledger(settings)
    ledger.open()
    return ledger
