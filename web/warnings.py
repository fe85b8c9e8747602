"""What an operator should know and change, as sentences; GET /queue and the live page tell it."""

from minequeue.chain.ledger import Ledger
from minequeue.chain.protocol.proof_of_work import HASHLIB
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.backlog import Reading


def list_warnings(reading: Reading, ledger: Ledger) -> list[str]:
    """All that there are at the moment of ``reading``."""
    warnings = [*ledger.redis.pool.warnings]
    if of_the_future := backlog.warn_of_tip(reading):
        warnings.append(of_the_future)
    if slow := reading.kernels.get(HASHLIB, 0):
        warnings.append(
            f"{slow} miners search nonces with hashlib, far slower than machine code; the logs of "
            "their workers say why."
        )
    return warnings
