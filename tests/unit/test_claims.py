"""Many miners on one candidate: what each gets to search, whoever dies meanwhile."""

from random import Random

import pytest

from minequeue.chain.ledger import ConnectResult, RedisClient
from tests.ledgers import make_ledger, request_mine
from tests.mining_steps import claim_range, open_candidate, solve

MINERS = 64
CLAIMS = 1500
DEATHS = 0.1  # of all claims: the miner dies with its range, and another takes its place


@pytest.mark.parametrize("seed", range(5))
def test_no_range_is_searched_twice_and_none_is_waited_for_though_miners_die(
    redis_client: RedisClient, seed: int
) -> None:
    random = Random(seed)
    ledger = make_ledger(redis_client)
    request_mine(ledger)
    _, candidate = open_candidate(ledger)
    leases = [f"miner {n}" for n in range(MINERS)]
    free = 0  # the first nonce that nobody was given
    deaths = 0
    for claim in range(CLAIMS):
        who, count = random.randrange(MINERS), random.randint(1, 10**7)
        rate = random.randint(0, 10**8)
        start = claim_range(ledger, candidate, count, lease=leases[who], rate=rate)
        # at once, and right behind what was given before, be its owner alive or dead
        assert start == free
        free += count
        if random.random() < DEATHS:
            leases[who] = f"the successor at claim {claim}"
            deaths += 1
    assert deaths > CLAIMS * DEATHS / 2
    nonce = solve(candidate, free)
    assert ledger.mining.connect(ledger.queue.read(), candidate, nonce) is ConnectResult.CONNECTED
    for lease in leases:
        assert claim_range(ledger, candidate, 1, lease=lease) is None
