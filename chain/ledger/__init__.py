"""The ledger: chain and queue in one Redis or Valkey server, changed only by atomic scripts.

Nothing leaves a list before the block that contains it is connected, in the same script. So
there is no state in flight that a crash could lose, and a list's length is the exact depth.
The one place in this package that imports redis.
"""

from minequeue.chain.ledger.address_page import (
    AddressPage,
    ChainPosition,
    LocatedTransaction,
    find_transactions_of,
)
from minequeue.chain.ledger.announcements import Announcements
from minequeue.chain.ledger.blocks import Blocks, Location, MinedBy, Pending
from minequeue.chain.ledger.branches import AdoptResult, Branch, Branches
from minequeue.chain.ledger.fleet import Fleet
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.mempool import Mempool, Submission, SubmitResult
from minequeue.chain.ledger.metrics import Metrics, MetricsReader
from minequeue.chain.ledger.mining import ConnectResult, Mining, OpenResult
from minequeue.chain.ledger.peers import Peers, PeerStatus, ResolveResult, ResolverLease
from minequeue.chain.ledger.queue import Queue
from minequeue.chain.ledger.rate_limits import RateLimits
from minequeue.chain.ledger.record import Record
from minequeue.chain.ledger.redis_client import RedisClient, open_redis
from minequeue.chain.ledger.rule_book import RuleBook
from minequeue.chain.ledger.samples import Samples
from minequeue.chain.ledger.settlement import Settlement
from minequeue.chain.ledger.tracked_requests import TrackedRequests, Trail
from minequeue.chain.ledger.waiting import Part, Waiting
from minequeue.chain.protocol.rules import Bounds, Rules

__all__ = [
    "AddressPage",
    "AdoptResult",
    "Announcements",
    "Blocks",
    "Branch",
    "Branches",
    "ChainPosition",
    "ConnectResult",
    "Ledger",
    "LocatedTransaction",
    "Location",
    "Metrics",
    "MinedBy",
    "OpenResult",
    "Part",
    "PeerStatus",
    "Peers",
    "Pending",
    "Record",
    "RedisClient",
    "ResolveResult",
    "ResolverLease",
    "Settlement",
    "Submission",
    "SubmitResult",
    "Trail",
    "Waiting",
    "find_transactions_of",
    "open_redis",
]


class Ledger:
    """One network's ledger, part by part; safe for use by many threads."""

    def __init__(self, redis_client: RedisClient, rules: Rules, bounds: Bounds) -> None:
        keys = Keys(rules.network)
        self.redis = redis_client
        self.rules = rules
        self.bounds = bounds
        self.mempool = Mempool(redis_client, keys, bounds)
        self.blocks = Blocks(redis_client, keys)
        self.rule_book = RuleBook(redis_client, keys, self.blocks, rules)
        self.mining = Mining(redis_client, keys, self.blocks, self.rule_book)
        self.settlement = Settlement(redis_client, keys)
        self.branches = Branches(redis_client, keys, self.blocks, self.rule_book)
        self.queue = Queue(redis_client, keys, rules)
        self.waiting = Waiting(redis_client, keys)
        self.fleet = Fleet(redis_client, keys)
        self.metrics = MetricsReader(redis_client, keys)
        self.tracked_requests = TrackedRequests(redis_client, keys)
        self.samples = Samples(redis_client, keys)
        self.rate_limits = RateLimits(redis_client, keys)
        self.peers = Peers(redis_client, keys)
        self.announcements = Announcements(redis_client, keys)

    def open(self) -> None:
        """Begin the chain where there is none yet, and hold to what the ledger says of itself.

        Raises:
            UnusableLedger: it is not one for these rules, or was lost; see :class:`RuleBook`.
            LedgerUnavailable: the server does not answer.
        """
        self.mining.create_genesis()
        self.rule_book.open()
