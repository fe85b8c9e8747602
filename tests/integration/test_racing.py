"""Many processes connect at once on one tip."""

import multiprocessing
from multiprocessing.synchronize import Barrier

from minequeue.chain.ledger import RedisClient, open_redis
from minequeue.chain.protocol.validation import validate_body
from minequeue.chain.scaling.backlog import OpenCandidate, Reading
from tests.ledgers import RULES, make_ledger, mine_all, mined_ids, read_chain, request_mine, submit
from tests.mining_steps import open_candidate, solve

RACERS = 6
ROUNDS = 15


def _race(
    url: str,
    lane: int,
    rounds: "multiprocessing.Queue[tuple[Reading, OpenCandidate]]",
    start: Barrier,
    answers: "multiprocessing.Queue[str]",
) -> None:
    """Find a nonce that no other racer finds, and connect at the same moment as they do."""
    ledger = make_ledger(open_redis(url, wait_s=5))
    for _ in range(ROUNDS):
        reading, candidate = rounds.get(timeout=30)
        nonce = solve(candidate, lane << 32)
        start.wait(30)
        answers.put(ledger.mining.connect(reading, candidate, nonce).name)


def test_of_many_who_connect_on_one_tip_one_wins_and_nothing_is_lost(
    server_url: str, redis_client: RedisClient
) -> None:
    ledger = make_ledger(redis_client)
    processes = multiprocessing.get_context("spawn")
    start, answers = processes.Barrier(RACERS), processes.Queue()
    rounds = [processes.Queue() for _ in range(RACERS)]
    racers = [
        processes.Process(target=_race, args=(server_url, lane, rounds[lane], start, answers))
        for lane in range(RACERS)
    ]
    for racer in racers:
        racer.start()
    accepted = []
    for _ in range(ROUNDS):
        accepted += submit(ledger, 5)
        request_mine(ledger)
        opened = open_candidate(ledger)
        for lane in rounds:
            lane.put(opened)
        outcome = sorted(answers.get(timeout=30) for _ in range(RACERS))
        assert outcome == ["CONNECTED"] + ["STALE"] * (RACERS - 1)
    for racer in racers:
        racer.join(30)
        assert racer.exitcode == 0
    mine_all(ledger)
    assert list(mined_ids(ledger)) == [transaction.id for transaction in accepted]
    for block in read_chain(ledger)[1:]:
        validate_body(block)
    assert ledger.blocks.tip().cumulative_work == 1 + ROUNDS * 2**RULES.bits
