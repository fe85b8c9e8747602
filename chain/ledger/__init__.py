"""The ledger: chain and queue in one Redis or Valkey server, changed only by atomic scripts.

Nothing leaves a list before the block that contains it is connected, in the same script. So
there is no state in flight that a crash could lose, and a list's length is the exact depth.
The one place in this package that imports redis.
"""

from minequeue.chain.ledger.announcements import Announcements
from minequeue.chain.ledger.blocks import Blocks, MinedBy, Pending, Place
from minequeue.chain.ledger.branches import Adopting, Branch, Branches
from minequeue.chain.ledger.connection import Connection, connect
from minequeue.chain.ledger.fleet import Fleet
from minequeue.chain.ledger.following import Following, Trail
from minequeue.chain.ledger.gates import Gates
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.measures import Measures, Measuring
from minequeue.chain.ledger.mempool import Mempool, Submission, Verdict
from minequeue.chain.ledger.mining import Connecting, Mining, Opening
from minequeue.chain.ledger.network import Network, Outcome, Sight, Turn
from minequeue.chain.ledger.payments import Look, Payment, Spot, look_for
from minequeue.chain.ledger.queue import Queue
from minequeue.chain.ledger.record import Record
from minequeue.chain.ledger.rule_book import RuleBook
from minequeue.chain.ledger.samples import Samples
from minequeue.chain.ledger.settlement import Settlement
from minequeue.chain.ledger.waiting import Part, Waiting
from minequeue.chain.protocol.rules import Bounds, Rules

__all__ = [
    "Adopting",
    "Announcements",
    "Blocks",
    "Branch",
    "Branches",
    "Connecting",
    "Connection",
    "Ledger",
    "Look",
    "Measures",
    "MinedBy",
    "Network",
    "Opening",
    "Outcome",
    "Part",
    "Payment",
    "Pending",
    "Place",
    "Record",
    "Settlement",
    "Sight",
    "Spot",
    "Submission",
    "Trail",
    "Turn",
    "Verdict",
    "Waiting",
    "connect",
    "look_for",
]


class Ledger:
    """One network's ledger, part by part; safe for use by many threads."""

    def __init__(self, connection: Connection, rules: Rules, bounds: Bounds) -> None:
        keys = Keys(rules.network)
        self.connection = connection
        self.rules = rules
        self.bounds = bounds
        self.mempool = Mempool(connection, keys, bounds)
        self.blocks = Blocks(connection, keys)
        self.rule_book = RuleBook(connection, keys, self.blocks, rules)
        self.mining = Mining(connection, keys, self.blocks, self.rule_book)
        self.settlement = Settlement(connection, keys)
        self.branches = Branches(connection, keys, self.blocks, self.rule_book)
        self.queue = Queue(connection, keys, rules)
        self.waiting = Waiting(connection, keys)
        self.fleet = Fleet(connection, keys)
        self.measuring = Measuring(connection, keys)
        self.following = Following(connection, keys)
        self.samples = Samples(connection, keys)
        self.gates = Gates(connection, keys)
        self.network = Network(connection, keys)
        self.announcements = Announcements(connection, keys)

    def open(self) -> None:
        """Begin the chain where there is none yet, and hold to what the ledger says of itself.

        Raises:
            UnusableLedger: it is not one for these rules, or was lost; see :class:`RuleBook`.
            LedgerUnavailable: the server does not answer.
        """
        self.mining.create_genesis()
        self.rule_book.open()
