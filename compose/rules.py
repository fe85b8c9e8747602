"""What follows from the settings for the chain, the queue and the miners: derived here alone.

Stack, checks and simulations ask here, so that none of them can forget a setting.
"""

from chain.protocol.rules import Bounds, Rules
from chain.scaling.policy import Policy
from compose.settings import Settings


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
    least, most = settings.fleet or settings.workers
    return Policy(least, most, settings.drain_time, settings.quiet_time)
