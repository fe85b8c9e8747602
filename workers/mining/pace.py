"""What a miner measures of itself and of the ledger, and how much it claims because of it."""

SLICE_S = 0.001  # of a range, between two looks whether its candidate is stale
MAX_RANGE_S = 0.5  # of search in vain, if the news of a block got lost
_FIRST_COUNT = 20_000  # nonces, while the speed is not known
_RANGE_CLAIMS = 100  # a range takes so many times its claim: claims cost 1 % at most
_RANGE_BLOCKS = 10  # a range needs no more searches of whole blocks: one in 22,000 has no hit
_RATE_MEMORY_S = 0.1  # of searching that the measured speed looks back on
_COST_WEIGHT = 0.1  # of the last measurement of a cost


class Pace:
    """Measured speed and costs; they stay from run to run.

    Attributes:
        rate: nonces a second, 0 while unknown.
        claim_s: how long a claim takes, in seconds, 0 while unknown.
        block_s: how long it takes from a find to the search of the next block, in seconds,
            0 while unknown.
    """

    def __init__(self) -> None:
        self.rate = 0.0
        self.claim_s = 0.0
        self.block_s = 0.0

    def note_search(self, count: int, took_s: float) -> None:
        """Learn from a search of ``count`` nonces.

        It weighs by its length: a hit after a few nonces measures the call and not the search.
        """
        weight = took_s / (took_s + _RATE_MEMORY_S) if self.rate else 1
        self.rate += weight * (count / max(took_s, 1e-6) - self.rate)

    def note_claim(self, took_s: float) -> None:
        """Learn from a claim that connected no block."""
        self.claim_s = _mix(self.claim_s, took_s)

    def note_block(self, took_s: float) -> None:
        """Learn from a connection after which the search went on."""
        self.block_s = _mix(self.block_s, took_s)

    def choose_count(self, bits: int, fleet_rate: int) -> int:
        """How many nonces to claim.

        Args:
            bits: the difficulty.
            fleet_rate: nonces a second of all miners at work.
        """
        if not self.rate:
            return _FIRST_COUNT
        search_s = 2**bits / max(fleet_rate, self.rate)
        range_s = min(_RANGE_BLOCKS * search_s, MAX_RANGE_S)
        if self.claim_s:
            range_s = min(range_s, max(_RANGE_CLAIMS * self.claim_s, SLICE_S))
        return max(1, int(self.rate * range_s))

    def choose_slice(self) -> int:
        """How many nonces to search between two looks."""
        return int(self.rate * SLICE_S) or _FIRST_COUNT


def _mix(known_s: float, took_s: float) -> float:
    return known_s + _COST_WEIGHT * (took_s - known_s) if known_s else took_s
