"""The pool of a real worker follows the decision: out at once, in after the quiet time, to zero."""

from minequeue.chain.ledger import RedisClient
from tests.ledgers import request_mine
from tests.waiting import wait_for
from tests.workers import StartWorker, is_drained, open_ledger

MINERS = 3
REQUESTS = 150
ALL_BUSY_S = 5  # from the start of a burst until every miner works


def test_a_pool_of_zero_grows_to_its_most_at_a_burst_and_back_to_zero_after_it(
    server_url: str, redis_client: RedisClient, start_worker: StartWorker
) -> None:
    assert redis_client.client.ping()
    settings = {
        "miners": f"0,{MINERS}",
        "quiet_time": "2",
        "target_drain_time": "0.5",
        "bits": "21",
    }
    with open_ledger(server_url, **settings) as ledger:
        start_worker(server_url, **settings)
        for _ in range(2):
            wait_for(
                lambda: ledger.queue.read().kernels and not ledger.queue.read().fleet, "zero", 30
            )
            before = ledger.blocks.tip().header.index
            for _ in range(REQUESTS):
                request_mine(ledger)
            wait_for(lambda: ledger.queue.read().miners == MINERS, "all miners at work", ALL_BUSY_S)
            wait_for(lambda: is_drained(ledger), "draining")
            # scaling in repeats no block and skips none
            assert ledger.blocks.tip().header.index == before + REQUESTS
