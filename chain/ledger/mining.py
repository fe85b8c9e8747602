"""Mining: one candidate on the tip, nonce ranges for whoever helps, and the block's connection."""

from enum import Enum
from typing import Any

from chain import backlog
from chain.backlog import OpenCandidate, Reading
from chain.block import EMPTY_BODY, count_contracts
from chain.errors import LedgerLost
from chain.header import Header, genesis, put_nonce
from chain.ledger import rule_book
from chain.ledger.blocks import Blocks, name_root, pack_body
from chain.ledger.connection import Connection
from chain.ledger.keys import Keys
from chain.ledger.mempool import ENTRY_HEAD
from chain.ledger.record import Record
from chain.ledger.rule_book import RuleBook, write_limits
from chain.template import Template, build_template, take_while_fits
from chain.validation import MAX_AHEAD_MS, validate_header

_ENTRIES_AT_ONCE = 1000
_PLACES_AT_ONCE = 1000  # about 3 ms of the server


class Opening(Enum):
    """What became of an offered candidate."""

    OPENED = b"OPENED"
    JOINED = b"JOINED"
    STALE = b"STALE"


class Connecting(Enum):
    """What became of a found block."""

    CONNECTED = b"CONNECTED"
    ALREADY = b"ALREADY"
    STALE = b"STALE"


class Mining:
    """The exit of the queue."""

    def __init__(
        self, connection: Connection, keys: Keys, blocks: Blocks, rule_book: RuleBook
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._blocks = blocks
        self._rules = rule_book.rules
        self._rule_book = rule_book

    def create_genesis(self) -> None:
        """Begin the chain, unless it has begun.

        Raises:
            LedgerLost: it had begun, and is not there.
        """
        first = genesis(self._rules.network)
        keys = self._keys
        answer = self._connection.script(
            "create_genesis",
            [
                keys.tip,
                keys.records,
                keys.bodies,
                keys.indexes,
                keys.rules,
                keys.transactions,
                keys.jobs,
            ],
            [
                first.hash,
                Record(first, first.work).pack(),
                pack_body(EMPTY_BODY),
                str(int(self._rules.signed)),
                write_limits(self._rules.limits),
                rule_book.FORMAT,
                rule_book.READER,
            ],
        )
        if answer == b"LOST":
            raise LedgerLost

    def find_candidate(self, reading: Reading) -> OpenCandidate | None:
        """The candidate that all should work on; None where there is none that may be connected.

        One that was opened under other rules, or by a server's clock that was wrong, would keep
        everybody busy for nothing.
        """
        candidate = reading.candidate
        if candidate is None:
            return None
        header = Header.unpack(put_nonce(candidate.prefix, 0))
        fits = header.bits >= self._rules.bits and header.timestamp <= reading.now_ms + MAX_AHEAD_MS
        return candidate if fits else None

    def build(self, reading: Reading, recipient: str) -> Template | None:
        """Build the block that is due on the tip of ``reading``; None where none is due.

        Raises:
            WeakerRules: the network's rules ask for more than this part's.
        """
        if not backlog.is_block_due(reading, self._rules):
            return None
        self._rule_book.refuse_weaker(reading.tip.index + 1)
        return build_template(
            reading.tip,
            self._blocks.read_recent_timestamps(reading.tip.index),
            self._read_pending(reading.pending),
            bits=self._rules.bits,
            recipient=recipient,
            now_ms=reading.now_ms,
        )

    def open(self, reading: Reading, template: Template) -> Opening:
        """Offer ``template``, built on ``reading``, as the candidate of its tip.

        It replaces a candidate that the reading shows, and none that came since.

        Raises:
            WeakerRules: the network's rules changed meanwhile, and ask for more than this part's.
        """
        keys = self._keys
        header = template.block.header
        answer: bytes = self._connection.script(
            "open_candidate",
            [
                keys.tip,
                keys.candidate,
                keys.candidate_body,
                keys.pending,
                keys.mine_requests,
                keys.counters,
                keys.rules,
                *keys.unsettled,
            ],
            [
                header.previous_hash,
                header.prefix,
                template.count,
                reading.oldest_job or "",
                bytes.fromhex(template.reward.id),
                pack_body(template.block.body),
                reading.candidate.prefix if reading.candidate else "",
                count_contracts(template.block.leaves),
                self._rule_book.page.revision,
            ],
        )
        if answer == b"OTHER_RULES":
            self._rule_book.read()
            self._rule_book.refuse_weaker(header.index)
            return Opening.STALE
        return Opening(answer)

    def claim(
        self, candidate: OpenCandidate, count: int, *, lease: str, lease_ms: int, rate: int
    ) -> int | None:
        """Take the next ``count`` nonces of ``candidate`` and renew ``lease``.

        Returns:
            The first of them; None where the candidate is stale.
        """
        keys = self._keys
        answer: bytes = self._connection.script(
            "claim_range",
            [keys.candidate, keys.miners, keys.rates],
            [candidate.prefix, count, lease, lease_ms, rate],
        )
        return None if answer == b"STALE" else int(answer)

    def connect(self, reading: Reading, candidate: OpenCandidate, nonce: int) -> Connecting:
        """Append the candidate, completed by ``nonce``, to the chain that ``reading`` saw.

        Raises:
            InvalidBlock: the header breaks a rule; nothing was changed.
        """
        header = Header.unpack(put_nonce(candidate.prefix, nonce))
        validate_header(
            header,
            reading.tip,
            self._blocks.read_recent_timestamps(reading.tip.index),
            now_ms=reading.now_ms,
            minimum_bits=self._rules.bits,
        )
        keys = self._keys
        digest = header.hash
        self._place(candidate, header)
        answer: bytes = self._connection.script(
            "connect_block",
            [
                keys.tip,
                keys.records,
                keys.bodies,
                keys.indexes,
                keys.candidate,
                keys.candidate_body,
                keys.pending,
                keys.transactions,
                keys.counters,
                keys.mine_requests,
                keys.jobs,
                keys.histograms,
            ],
            [
                candidate.prefix,
                digest,
                digest.hex(),
                header.index,
                Record(header, reading.tip_work + header.work).pack(),
                name_root(header),
                keys.connected,
            ],
        )
        return Connecting(answer)

    def _place(self, candidate: OpenCandidate, header: Header) -> None:
        """Give each transaction of the candidate its place, which counts once it is connected."""
        keys = self._keys
        placed = 0
        while placed < candidate.count:
            answer: Any = self._connection.script(
                "place_transactions",
                [keys.candidate, keys.pending, keys.transactions],
                [candidate.prefix, header.index, name_root(header), _PLACES_AT_ONCE],
            )
            if answer == b"STALE":
                return  # what it means for the block, connect_block tells
            placed = int(answer)

    def _read_pending(self, pending: int) -> list[bytes]:
        """The transactions at the head of pending that fit in one block.

        In parts, so that no single command keeps the server from others. Between the parts the
        head cannot change without the tip, and then the candidate is refused.
        """
        most = min(pending, self._rules.block_transactions)
        taken: list[bytes] = []
        size = 0
        for start in range(0, most, _ENTRIES_AT_ONCE):
            end = min(start + _ENTRIES_AT_ONCE, most) - 1
            entries = self._read_entries(start, end)
            taken += (entry[ENTRY_HEAD:] for entry in entries)
            size += sum(map(len, entries))
            if size > self._rules.block_bytes or len(entries) <= end - start:
                break
        return take_while_fits(taken, self._rules.limits)

    def _read_entries(self, start: int, end: int) -> list[bytes]:
        found: Any = self._connection.run(
            lambda client: client.lrange(self._keys.pending, start, end)
        )
        return list(found)
