"""The names of the ledger's keys in Redis; what each holds stands in the head of its script.

All of a network's keys share one hash tag, so that they live in one slot of a cluster and a
script may touch them together; two networks on one server do not meet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict


class CallKeys(TypedDict, total=False):
    """Keys that a call of a script brings along, by the names that the script has for them."""

    bucket: str
    resolution: str
    resolutions: Sequence[str]
    waiting: str
    branch_records: str
    branch_bodies: str
    branch_arrived: str
    branch_returned: str
    branch_leaving: str
    branch_rewards: str


@dataclass(frozen=True, slots=True)
class BranchKeys:
    """Where a branch is staged; see adopt_branch.lua."""

    records: str
    bodies: str
    arrived: str
    returned: str
    leaving: str
    rewards: str


class Keys:
    """The key names of one network."""

    def __init__(self, network: str) -> None:
        self._tag = f"{{minequeue:{network}}}"
        key = self._name

        # the queue
        self.pending = key("pending")
        self.mine_requests = key("mine_requests")
        # what became of what was accepted
        self.transactions = key("transactions")
        self.idempotency_even = key("idempotency:even")
        self.idempotency_odd = key("idempotency:odd")
        self.jobs = key("jobs")
        self.counters = key("counters")
        self.histograms = key("histograms")
        self.refusals = key("refusals")
        self.samples = key("samples")
        self.followed = key("followed")
        self.followed_since = key("followed_since")
        # what a reorganisation left to do; see adopt_branch.lua
        self.arrived = key("arrived")
        self.returned = key("returned")
        self.leaving = key("leaving")
        # the chain
        self.tip = key("tip")
        self.records = key("records")
        self.bodies = key("bodies")
        self.indexes = key("indexes")
        self.rules = key("rules")
        # the block being mined
        self.candidate = key("candidate")
        self.candidate_body = key("candidate_body")
        # who is at work
        self.miners = key("miners")
        self.bells = key("bells")
        self.rates = key("rates")
        self.workers = key("workers")
        self.sizes = key("sizes")
        self.kernels = key("kernels")
        self.peaks = key("peaks")
        self.node = key("node")
        # other nodes
        self.peers = key("peers")
        self.resolve_requests = key("resolve_requests")
        self.resolver = key("resolver")
        self.met = key("met")

    @property
    def connected(self) -> str:
        """A channel, not a key: the index of each connected block; a word if a resolution ended."""
        return self._name("connected")

    def bucket(self, name: str) -> str:
        """The key of the limits of whoever is called so."""
        return self._name(f"bucket:{name}")

    def resolution(self, job: str) -> str:
        """The key of the outcome of a request to resolve."""
        return self._name(f"resolution:{job}")

    def branch(self, name: str) -> BranchKeys:
        """The keys of a branch that is staged under ``name``."""
        return BranchKeys(*(self._name(f"branch:{name}:{part}") for part in BranchKeys.__slots__))

    def _name(self, key: str) -> str:
        return f"{self._tag}:{key}"
