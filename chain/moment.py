"""The rule for moments that are stored; chain/ledger/lua/prelude.lua has the same for scripts."""


def is_ahead(moment: float, now: float, length: float) -> bool:
    """Tell whether a stored moment is still to come, all three in one unit.

    Nothing is stored for longer than its own ``length``. So a moment that is further ahead was
    stored before the clock was set back; it counts as over.
    """
    return now < moment <= now + length
