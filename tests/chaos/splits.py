"""Three nodes, cut apart and joined again: one chain in the end, with all that any accepted.

Each node is a stack of its own, and reaches each other one through a proxy of its own, so that any
two can be cut apart while both live. Clients go on at all three, also while they are apart.
"""

import json
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import click
import redis

from minequeue.chain.audit import Auditor
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.protocol.transaction import REWARD_SENDER
from minequeue.compose.burst.poll import read_chain
from minequeue.compose.burst.record import Record
from minequeue.compose.config.embedded import socket_path
from tests.chaos.load import Load
from tests.chaos.promises import PromiseBroken
from tests.chaos.proxy import Proxy
from tests.chaos.run import describe, say
from tests.http import post, request
from tests.stack import Stack
from tests.waiting import wait_for

NODES = 3
_BITS = 16
_GROUPS = (([0], [1, 2]), ([1], [0, 2]), ([2], [0, 1]), ([0], [1], [2]))
_BLOCKS = (2, 5)  # that each side mines while they are apart, at least
_SHARED = 20  # transactions of a round that every node is given
_SOON_S = 90.0  # until they agree
_TIE_S = 3.0  # that two chains of equal work get before one more block is asked for
_CLOSED = 1  # a port that nobody listens on


@dataclass
class Node:
    """One of the three.

    Attributes:
        stack: its processes.
        record: what its clients were promised.
    """

    stack: Stack
    record: Record

    @property
    def counters(self) -> dict[str, int]:
        """The counters of its ledger."""
        with redis.Redis(unix_socket_path=str(socket_path(self.stack.data_dir))) as client:
            found: Any = client.hgetall(Keys("minequeue").counters)
        return {name.decode(): int(count) for name, count in found.items()}

    @property
    def tip(self) -> dict[str, Any]:
        """Its tip, as it says."""
        found: dict[str, Any] = self.stack.get("/chain/tip").json()
        return found


class Trio:
    """Three nodes that know one another."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._opened = ExitStack()
        self.nodes: list[Node] = []
        self._ways: dict[tuple[int, int], Proxy] = {}

    def __enter__(self) -> "Trio":
        with ExitStack() as opened:
            self.nodes = [self._start(opened, number) for number in range(NODES)]
            for asking in range(NODES):
                for asked in range(NODES):
                    if asking != asked:
                        way = opened.enter_context(Proxy(self.nodes[asked].stack.port))
                        self._ways[asking, asked] = way
                self._introduce(asking)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def split(self, groups: tuple[list[int], ...]) -> None:
        """Cut all ways between nodes of different groups."""
        side = {node: number for number, group in enumerate(groups) for node in group}
        for (asking, asked), way in self._ways.items():
            if side[asking] != side[asked]:
                way.upstream = _CLOSED
                way.cut()

    def join(self) -> None:
        """Open all ways."""
        for (_, asked), way in self._ways.items():
            way.upstream = self.nodes[asked].stack.port

    def _start(self, opened: ExitStack, number: int) -> Node:
        stack = Stack(
            self._directory / f"node{number}",
            bits=str(_BITS),
            node_address=f"node{number}",
            miners="1,1",
            web_processes="1",
            resolve_period="1",
        )
        stack.data_dir.mkdir(parents=True)
        opened.callback(_stop, stack)
        return Node(stack.start(), Record())

    def _introduce(self, asking: int) -> None:
        ways = [way for (node, _), way in self._ways.items() if node == asking]
        body = json.dumps({"nodes": [f"127.0.0.1:{way.port}" for way in ways]}).encode()
        url = f"{self.nodes[asking].stack.url}/nodes/register"
        kind = {"Content-Type": "application/json"}
        assert request("POST", url, body, kind).status == 201


def _stop(stack: Stack) -> None:
    if stack.process is not None and stack.process.poll() is None:
        stack.stop()


def run_splits(times: int, seed: int, *, data_dir: Path | None, as_json: bool) -> int:
    """Split and join so often; 0 if there was one chain each time, with nothing lost or doubled."""
    directory = data_dir or Path(tempfile.mkdtemp(prefix="minequeue-chaos-"))
    agreed: list[float] = []
    found: dict[str, Any] = {}
    with Trio(directory.absolute() / "splits") as trio:
        for number in range(seed, seed + times):
            took_s = _play(trio, number)
            agreed.append(took_s)
            found = _check(trio)
            say(
                f"seed {number}: agreed {took_s:.1f} s after they were joined; "
                f"{found['accepted']} accepted, {found['blocks']} blocks so far"
            )
    if not found["reorganisations"]:
        raise PromiseBroken("No chain was ever replaced, so nothing was shown.")
    outcome = {"splits": times, "agreed_s": _summarise(agreed), **found}
    click.echo(json.dumps(outcome) if as_json else describe(outcome))
    return 0


def _summarise(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {"p50": round(ordered[len(ordered) // 2], 2), "max": round(ordered[-1], 2)}


def _play(trio: Trio, seed: int) -> float:
    """Cut them apart and join them, with clients at all three; the seconds until they agreed."""
    drawn = Random(seed)
    loads = [
        Load(node.stack.url, node.record, seed * NODES + number).start()
        for number, node in enumerate(trio.nodes)
    ]
    groups = drawn.choice(_GROUPS)
    trio.split(groups)
    _submit_everywhere(trio, seed)
    wanted = drawn.randint(*_BLOCKS)
    starts = [node.tip["index"] for node in trio.nodes]
    for node, start in zip(trio.nodes, starts, strict=True):
        _wait_for_index(node, start + wanted)
    trio.join()
    for load in loads:
        load.finish(_SOON_S)
    joined = time.monotonic()
    _wait_until_agreed(trio)
    return time.monotonic() - joined


def _wait_for_index(node: Node, index: int) -> None:
    wait_for(lambda: node.tip["index"] >= index, f"block {index}", _SOON_S)


def _submit_everywhere(trio: Trio, seed: int) -> None:
    """Give the same transactions to all: each is to be in the one chain once."""
    body = [
        {"sender": "all", "recipient": "one", "amount": n, "nonce": f"{seed}:{n}"}
        for n in range(_SHARED)
    ]
    for node in trio.nodes:
        answer = post(node.stack.url, body)
        assert answer.status == 202, answer
        for receipt in answer.json():
            node.record.receipts[receipt["id"]] = node.record.now_s()


def _wait_until_agreed(trio: Trio) -> None:
    """Wait until all have one tip and nothing queued; a tie is broken by a block, as in life."""
    deadline = time.monotonic() + _SOON_S
    tied_since = time.monotonic()
    while time.monotonic() < deadline:
        queues = [node.stack.queue() for node in trio.nodes]
        works = {node.tip["cumulative_work"] for node in trio.nodes}
        tips = {queue["tip"]["hash"] for queue in queues}
        if not any(queue["depth"] for queue in queues):
            if len(tips) == 1:
                return
            if len(works) == 1 and time.monotonic() - tied_since > _TIE_S:
                request("POST", f"{trio.nodes[0].stack.url}/chain/mine")
                tied_since = time.monotonic()
        if len(works) > 1:
            tied_since = time.monotonic()
        time.sleep(0.1)  # nobody tells of an agreement
    raise PromiseBroken(f"The nodes did not agree within {_SOON_S:g} s: {queues}")


def _check(trio: Trio) -> dict[str, Any]:
    """Audit the chain of each, and look for every receipt of any.

    Raises:
        PromiseBroken: one is lost or doubled.
    """
    accepted = {name for node in trio.nodes for name in node.record.receipts}
    for number, node in enumerate(trio.nodes):
        auditor = Auditor(now_ms=int(time.time() * 1000), minimum_bits=_BITS, network="minequeue")
        times: Counter[str] = Counter()
        for block in read_chain(node.stack.url):
            auditor.add(block)
            times.update(t["id"] for t in block["transactions"] if t["sender"] != REWARD_SENDER)
        lost = [name for name in accepted if name not in times]
        doubled = [name for name, count in times.items() if count > 1]
        unexpected = [
            name
            for name in times
            if name not in accepted
            and not any(name in other.record.unknown.values() for other in trio.nodes)
        ]
        if lost or doubled or unexpected:
            raise PromiseBroken(
                f"node {number}: {len(lost)} lost {lost[:3]}, {len(doubled)} doubled "
                f"{doubled[:3]}, {len(unexpected)} unexpected {unexpected[:3]}"
            )
    return {
        "accepted": len(accepted),
        "lost": 0,
        "doubled": 0,
        "blocks": auditor.length,
        "reorganisations": sum(n.counters.get("reorganisations", 0) for n in trio.nodes),
        "stale_blocks": sum(n.counters.get("stale", 0) for n in trio.nodes),
    }
