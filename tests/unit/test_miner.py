"""What a miner learns of its own speed, with a clock and a search that are told what to say."""

from chain.ledger import Connection
from chain.proof_of_work import search_with_hashlib
from tests.ledgers import make_ledger, request_mine
from workers.miner import Miner

RATE = 1_000_000  # nonces a second


def test_the_speed_is_learned_from_searches_that_hit_too_if_they_took_long_enough(
    connection: Connection,
) -> None:
    ledger = make_ledger(connection)
    now_s, slow_call_s = 0.0, 1.0

    def search(header_prefix: bytes, start: int, count: int) -> int | None:  # noqa: ARG001  # Search's
        nonlocal now_s, slow_call_s
        now_s += slow_call_s or 0.005  # each search hits, after 5 ms but for the first
        slow_call_s = 0
        found = search_with_hashlib(header_prefix, start, 2**20)
        assert found is not None
        return found

    miner = Miner(ledger, search, "node", clock=lambda: now_s)
    for _ in range(30):
        request_mine(ledger)
        miner.run()
    # 4 bits: about 16 nonces in 5 ms; the first call alone would say 16 in a second
    assert ledger.queue.read().miner_rate > 5 * 16
