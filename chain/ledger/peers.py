"""The other nodes that this one knows, and the requests to resolve conflicts with them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from minequeue.chain.errors import TooManyPeers
from minequeue.chain.ledger.blocks import Pending
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient
from minequeue.chain.moment import is_ahead

MAX_PEERS = 125  # as Bitcoin Core's default
LEASE_MS = 15_000  # of a resolver; longer than any one of its steps
_KEPT_S = 86_400  # the outcome of a request to resolve


class PeerStatus(msgspec.Struct, frozen=True, omit_defaults=False):
    """What was last seen of a peer.

    Attributes:
        state: "new", "same", "ahead", "behind"; "faulty" where it broke a rule, "away" where it
            did not answer, "not allowed" where its name leads to no address that may be called.
        reason: one sentence where it is in one of the last three, else "".
        seen_ms: when that was, Unix milliseconds; 0 for never.
        index: the index of its tip, 0 while unknown.
        failures: how often in a row it was in one of them.
        next_ms: before then it is not asked again, unless somebody demands it; Unix milliseconds.
        slow: whether one of its answers took long.
    """

    state: str = "new"
    reason: str = ""
    seen_ms: int = 0
    index: int = 0
    failures: int = 0
    next_ms: int = 0
    slow: bool = False


class ResolveResult(msgspec.Struct, frozen=True):
    """What came of a request to resolve.

    Attributes:
        replaced: whether the chain was replaced or extended.
        peers: how many peers were asked.
        faults: how many of them were faulty, away or not allowed.
    """

    replaced: bool
    peers: int
    faults: int

    @property
    def word(self) -> str:
        """It in one word: "replaced", "failed" where every peer was at fault, else "kept"."""
        if self.replaced:
            return "replaced"
        return "failed" if self.faults and self.faults == self.peers else "kept"


@dataclass(frozen=True, slots=True)
class ResolverLease:
    """A resolver's lease: nobody else resolves until it ends.

    Attributes:
        token: its name.
        jobs: the requests that it serves.
    """

    token: str
    jobs: Sequence[str]


_read_status = msgspec.json.Decoder(PeerStatus).decode
_read_outcome = msgspec.json.Decoder(ResolveResult).decode
_encode = msgspec.json.Encoder().encode


class Peers:
    """What a node knows of others."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys

    def register(self, addresses: Sequence[str]) -> None:
        """Add peers; of those that are known, what was seen is forgotten, so they are asked again.

        Raises:
            TooManyPeers: they would be more than 125; none was added.
        """
        count: int = self._redis.script(self._keys, "register_peers", [MAX_PEERS, *addresses])
        if count < 0:
            raise TooManyPeers(
                f"A node keeps at most {MAX_PEERS} peers; remove some before you add others."
            )

    def remove(self, address: str) -> bool:
        """Forget a peer; tell whether it was known."""
        found: Any = self._redis.run(lambda client: client.hdel(self._keys.peers, address))
        return bool(found)

    def list_all(self) -> Mapping[str, PeerStatus]:
        """All peers by their address, in order, and what was last seen of each."""
        found: Any = self._redis.run(lambda client: client.hgetall(self._keys.peers))
        return {
            address.decode(): _read_status(raw) if raw else PeerStatus()
            for address, raw in sorted(found.items())
        }

    def note(self, address: str, status: PeerStatus) -> None:
        """Keep what was seen of a peer, if it is still one."""
        self._redis.script(self._keys, "note_peer", [address, _encode(status)])

    def request_resolve(self) -> str:
        """Ask for the peers' chains to be looked at.

        Returns:
            The job that will; one that has not begun serves all who ask.
        """
        keys, job = self._keys, uuid.uuid4().hex
        answer: bytes = self._redis.script(
            keys, "request_resolve", [job, _KEPT_S, LEASE_MS], resolution=keys.resolution(job)
        )
        return answer.decode()

    def find_result(self, job: str) -> ResolveResult | Pending | None:
        """What came of the request ``job``; None where nobody knows it."""
        key = self._keys.resolution(job)
        raw: Any = self._redis.run(lambda client: client.get(key))
        if raw is None:
            return None
        return _read_outcome(raw) if raw else Pending()

    def is_due(self, tip: bytes, period_s: float) -> bool:
        """Tell whether the peers should be met now, by whoever has the lease.

        Args:
            tip: the hash of the tip; one that no peer was told of makes it due.
            period_s: after so long it is due in any case.
        """
        keys = self._keys

        def read(client: Any) -> Any:
            # no transaction: Redis 7 refuses one where its memory has run out
            with client.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.hget(keys.resolver, "until")
                pipe.llen(keys.resolve_requests)
                pipe.hlen(keys.peers)
                pipe.hmget(keys.met, "tip", "at")
                return pipe.execute()

        now, until, requests, peers, (met_tip, met_at) = self._redis.run(read)
        now_ms = now[0] * 1000 + now[1] // 1000
        if is_ahead(int(until or 0), now_ms, LEASE_MS):
            return False
        if requests:
            return True
        period_ms = 1000 * period_s
        is_met = met_tip == tip and is_ahead(int(met_at or 0) + period_ms, now_ms, period_ms)
        return bool(peers) and not is_met

    def take_lease(self) -> ResolverLease | None:
        """Begin to resolve; None where somebody else does."""
        token = uuid.uuid4().hex
        answer: Any = self._redis.script(self._keys, "take_resolve", [token, LEASE_MS])
        if answer == b"BUSY":
            return None
        return ResolverLease(token, [job.decode() for job in answer])

    def renew(self, lease: ResolverLease) -> bool:
        """Keep the lease for another while; tell whether it was still there to keep."""
        kept: int = self._redis.script(self._keys, "renew_resolve", [lease.token, LEASE_MS])
        return bool(kept)

    def finish(self, lease: ResolverLease, outcome: ResolveResult, tip: bytes) -> None:
        """End the lease and answer those whom it served.

        Args:
            lease: as it was taken.
            outcome: what came of it.
            tip: the hash of the tip that the peers were told of.
        """
        keys = self._keys
        self._redis.script(
            keys,
            "finish_resolve",
            [
                lease.token,
                _encode(outcome),
                _KEPT_S,
                tip,
                keys.connected,
                outcome.word,
                *lease.jobs,
            ],
            resolutions=[keys.resolution(job) for job in lease.jobs],
        )

    def now_ms(self) -> int:
        """The server's clock, Unix milliseconds."""
        seconds, micros = self._redis.run(lambda client: client.time())
        return int(seconds) * 1000 + int(micros) // 1000
