"""Leases, wake-ups and heartbeats: who mines, and who should."""

from dataclasses import replace

from minequeue.chain.ledger import Ledger
from minequeue.chain.scaling.policy import Policy
from tests.ledgers import make_miner, mine_all, request_mine, submit


def test_bells_are_rung_for_the_miners_that_are_missing_and_only_once(ledger: Ledger) -> None:
    assert ledger.fleet.note_wake_ups(3) == 3
    assert ledger.fleet.note_wake_ups(3) == 0
    assert ledger.fleet.note_wake_ups(4) == 1


def test_a_miner_answers_one_bell_and_counts_while_its_lease_lives(ledger: Ledger) -> None:
    ledger.fleet.note_wake_ups(2)
    with ledger.fleet.lease():
        assert ledger.queue.read().miners == 1
        assert ledger.fleet.note_wake_ups(2) == 0
    assert ledger.queue.read().miners == 0
    assert ledger.fleet.note_wake_ups(2) == 1


def test_a_worker_counts_while_it_beats_and_not_when_it_left(ledger: Ledger) -> None:
    ledger.fleet.send_heartbeat("a", 2, "fast")
    ledger.fleet.send_heartbeat("b", 3, "hashlib")
    ledger.fleet.send_heartbeat("a", 1, "fast")
    assert ledger.queue.read().fleet == 4
    assert ledger.queue.read().kernels == {"fast": 1, "hashlib": 3}
    ledger.fleet.leave("b")
    assert ledger.queue.read().fleet == 1
    assert ledger.queue.read().kernels == {"fast": 1}


def test_what_was_needed_is_remembered_for_all_who_look(ledger: Ledger) -> None:
    policy = Policy(least=0, most=3, target_drain_s=10, quiet_s=600)
    assert ledger.queue.look(policy)[1].wanted == 0
    for _ in range(3):
        request_mine(ledger)
    assert ledger.queue.look(policy)[1].wanted == 3
    mine_all(ledger)
    decision = ledger.queue.look(policy)[1]
    assert (decision.need, decision.wanted) == (0, 3)
    assert ledger.queue.look(replace(policy, least=1))[1].wanted == 3


def test_the_nodes_address_is_drawn_once_and_the_operators_choice_wins(ledger: Ledger) -> None:
    drawn = ledger.fleet.node_address(None)
    assert ledger.fleet.node_address(None) == drawn
    assert ledger.fleet.node_address("mine") == "mine"


def test_a_run_of_a_miner_says_what_it_did(ledger: Ledger) -> None:
    submit(ledger, 3)
    request_mine(ledger)
    result = make_miner(ledger).run()
    tip = ledger.blocks.tip().header
    assert (result.outcome, result.blocks, result.transactions) == ("mined", 1, 3)
    assert (result.index, result.hash) == (2, tip.hash.hex())
    assert make_miner(ledger).run().outcome == "idle"
