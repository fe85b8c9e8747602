"""Peers are met side by side: a slow one delays no other, and is marked."""

import threading
from collections.abc import Callable

import pytest

from minequeue.chain.errors import LedgerUnavailable
from minequeue.chain.ledger import Ledger, PeerStatus, Record, ResolveResult
from minequeue.workers.peers import resolver
from minequeue.workers.peers.node import Node
from minequeue.workers.peers.resolver import MAX_MEETINGS, Resolver
from tests.ledgers import make_miner, request_mine
from tests.peers import LedgerNode
from tests.separate_ledgers import make_separate_ledger
from tests.waiting import wait_for

LONG_S = 10  # nothing here takes so long


class Held(LedgerNode):
    """A node that answers once it is released."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.was_asked = threading.Event()
        self.is_released = threading.Event()

    def tip(self) -> Record:
        self.was_asked.set()
        assert self.is_released.wait(LONG_S)
        return super().tip()


@pytest.fixture
def ours() -> Ledger:
    return make_separate_ledger()


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "IDLE_TIMEOUT_S", 0.2)
    monkeypatch.setattr(resolver, "SLOW_S", 0.1)


def _mine(ledger: Ledger) -> None:
    request_mine(ledger)
    make_miner(ledger).run()


def _name(number: int) -> str:
    return f"http://peer{number:02}:1"


def _make(ours: Ledger, nodes: list[LedgerNode]) -> Resolver:
    named: dict[str, Node] = {_name(number): node for number, node in enumerate(nodes)}
    ours.peers.register(list(named))
    return Resolver(ours, named.__getitem__, 60)


def _sight(ours: Ledger, number: int) -> PeerStatus:
    return ours.peers.list_all()[_name(number)]


def test_a_run_does_not_wait_for_a_slow_node_and_the_next_meets_the_others(ours: Ledger) -> None:
    slow, quick = Held(ours), [LedgerNode(ours) for _ in range(10)]
    peers = _make(ours, [slow, *quick])
    assert peers.run() == ResolveResult(replaced=False, peers=11, faults=0)
    assert slow.was_asked.is_set()
    assert _sight(ours, 0).state == "new"
    assert peers.run() == ResolveResult(replaced=False, peers=10, faults=0)
    assert [len(node.asked) for node in quick] == [2] * 10
    slow.is_released.set()
    wait_for(lambda: _sight(ours, 0).state == "same", "the slow node's meeting", LONG_S)
    assert _sight(ours, 0).slow
    assert not _sight(ours, 1).slow


def test_what_a_slow_node_has_is_taken_over_after_the_run(ours: Ledger) -> None:
    theirs = make_separate_ledger()
    _mine(theirs)
    slow = Held(theirs)
    peers = _make(ours, [slow, LedgerNode(ours)])
    outcome = peers.run()
    assert outcome
    assert not outcome.replaced
    slow.is_released.set()
    wait_for(lambda: _sight(ours, 0).state == "ahead", "the slow node's meeting", LONG_S)
    assert ours.blocks.tip() == theirs.blocks.tip()
    assert peers.is_due()  # so that the others hear of it


def test_a_slow_node_that_is_alone_is_waited_for(ours: Ledger) -> None:
    theirs = make_separate_ledger()
    _mine(theirs)
    slow = Held(theirs)
    peers = _make(ours, [slow])
    threading.Timer(1, slow.is_released.set).start()
    assert peers.run() == ResolveResult(replaced=True, peers=1, faults=0)


def test_so_many_are_met_at_once_and_no_more(ours: Ledger) -> None:
    held = [Held(ours) for _ in range(MAX_MEETINGS + 1)]
    run = threading.Thread(target=_make(ours, list(held)).run)
    run.start()
    for node in held[:MAX_MEETINGS]:
        assert node.was_asked.wait(LONG_S)
    assert not held[MAX_MEETINGS].was_asked.wait(0.3)
    held[0].is_released.set()
    assert held[MAX_MEETINGS].was_asked.wait(LONG_S)
    for node in held:
        node.is_released.set()
    run.join(LONG_S)
    assert {status.state for status in ours.peers.list_all().values()} == {"same"}


def test_a_run_waits_not_at_all_for_a_node_known_as_slow(
    ours: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "IDLE_TIMEOUT_S", 10 * LONG_S)
    slow = Held(ours)
    peers = _make(ours, [slow, LedgerNode(ours)])
    ours.peers.note(_name(0), PeerStatus(state="same", slow=True))
    assert peers.run() == ResolveResult(replaced=False, peers=2, faults=0)
    slow.is_released.set()
    wait_for(lambda: not _sight(ours, 0).slow, "the end of its meeting", LONG_S)


def test_nodes_known_as_slow_take_no_place_of_the_others(ours: Ledger) -> None:
    slow, quick = (
        [Held(ours) for _ in range(MAX_MEETINGS + 1)],
        [LedgerNode(ours) for _ in range(3)],
    )
    peers = _make(ours, [*slow, *quick])
    for number in range(len(slow)):
        ours.peers.note(_name(number), PeerStatus(state="same", slow=True))
    assert peers.run()
    assert all(node.asked for node in quick)
    wait_for(
        lambda: sum(node.was_asked.is_set() for node in slow) == MAX_MEETINGS,
        "the slow ones",
        LONG_S,
    )
    assert not slow[-1].was_asked.wait(0.2)
    for node in slow:
        node.is_released.set()
    wait_for(lambda: peers.run() and slow[-1].was_asked.is_set(), "the last slow one", LONG_S)


def test_many_nodes_with_the_same_heavier_chain_are_all_in_order(ours: Ledger) -> None:
    theirs = make_separate_ledger()
    for _ in range(5):
        _mine(theirs)
    outcome = _make(ours, [LedgerNode(theirs) for _ in range(20)]).run()
    assert outcome
    assert (outcome.replaced, outcome.peers, outcome.faults) == (True, 20, 0)
    assert ours.blocks.tip() == theirs.blocks.tip()
    states = {status.state for status in ours.peers.list_all().values()}
    assert states <= {"same", "ahead"}


@pytest.mark.parametrize("error", [LedgerUnavailable, ZeroDivisionError])
def test_an_error_of_our_own_ends_the_run_and_blames_nobody(
    ours: Ledger, error: Callable[[], Exception]
) -> None:
    class Broken(LedgerNode):
        def tip(self) -> Record:
            raise error()

    peers = _make(ours, [LedgerNode(ours), Broken(ours)])
    with pytest.raises((LedgerUnavailable, ZeroDivisionError)):
        peers.run()
    assert _sight(ours, 1).state == "new"
