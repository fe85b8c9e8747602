"""What is simulated: the product's rules and policy, and the surroundings that are assumed."""

from dataclasses import dataclass

from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.scaling.policy import Policy


@dataclass(frozen=True, slots=True)
class World:
    """Load, machines and policy.

    Attributes:
        rules: what shapes blocks.
        bounds: how much may wait; what exceeds it is refused.
        policy: how many miners there should be.
        requests_per_minute: the highest rate, transactions and mine requests together.
        load_s: how long requests arrive, in seconds.
        mine_share: how much of the requests are mine requests, 0 to 1.
        hash_rate: what a miner does, in hashes a second.
        start_delay_s: how long a miner takes from the decision to its first hash, in seconds.
        rate_noise: how far measured rates stray: the standard deviation of their logarithm.
        block_cost_s: how long the server and the finder take to connect a block and open the
            next, in seconds; nobody searches meanwhile.
        range_s: how long the others search before they hear that the candidate is stale and have
            joined the next, in seconds.
        entry_bytes: the size of a transaction in the queue.
        seed: of all that is drawn.
    """

    rules: Rules
    bounds: Bounds
    policy: Policy
    requests_per_minute: float
    load_s: float
    mine_share: float
    hash_rate: int
    start_delay_s: float
    rate_noise: float = 0.1
    block_cost_s: float = 0.001
    range_s: float = 0.002
    entry_bytes: int = 250
    seed: int = 1
