"""How long a fleet searches for a nonce, when not all of it begins at once.

Who found the last block searches the next one from the start. The others are somewhere in a range
of the last candidate, and join evenly over the time that a range takes.
"""

import math


def calculate_work(time_s: float, miners: int, range_s: float) -> float:
    """What ``miners`` have searched ``time_s`` after the candidate was opened, in miner-seconds."""
    if time_s >= range_s:
        return miners * time_s - (miners - 1) * range_s / 2
    return time_s + (miners - 1) * time_s**2 / (2 * range_s)


def calculate_time(work: float, miners: int, range_s: float) -> float:
    """When ``miners`` have searched ``work`` miner-seconds, in seconds; the inverse of the above.

    ``miners`` is at least 1.
    """
    if miners == 1 or work >= calculate_work(range_s, miners, range_s):
        return (work + (miners - 1) * range_s / 2) / miners
    slope = (miners - 1) / range_s
    return (math.sqrt(1 + 2 * slope * work) - 1) / slope
