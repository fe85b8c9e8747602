"""Mining: one candidate on the tip, nonce ranges for whoever helps, and the block's connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from minequeue.chain.errors import LedgerLost
from minequeue.chain.ledger import rule_book
from minequeue.chain.ledger.blocks import Blocks, name_root, pack_body
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.mempool import ENTRY_HEAD
from minequeue.chain.ledger.queue import parse_reading, read_call
from minequeue.chain.ledger.record import Record
from minequeue.chain.ledger.redis_client import Call, RedisClient
from minequeue.chain.ledger.rule_book import RuleBook, write_limits
from minequeue.chain.protocol.block import EMPTY_BODY, count_contracts
from minequeue.chain.protocol.block_template import Template, build_template, take_while_fits
from minequeue.chain.protocol.header import Header, genesis, put_nonce
from minequeue.chain.protocol.validation import MAX_AHEAD_MS, validate_header
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.backlog import OpenCandidate, Reading

_ENTRIES_BATCH = 1000
_FOLLOWING = 100  # entries of at most 17 KB that a reading brings along for the next block
PLACES_BATCH = 1000  # about 3 ms of the server


class OpenResult(Enum):
    """What became of an offered candidate."""

    OPENED = b"OPENED"
    JOINED = b"JOINED"
    STALE = b"STALE"


class ConnectResult(Enum):
    """What became of a found block."""

    CONNECTED = b"CONNECTED"
    ALREADY = b"ALREADY"
    STALE = b"STALE"


@dataclass(frozen=True, slots=True)
class Want:
    """What a miner asks for when it claims.

    Attributes:
        count: how many nonces.
        lease: the miner's; it is renewed.
        lease_ms: the lease's length.
        rate: the miner's hashes a second, 0 while it does not know.
        cost_us: microseconds from a find to the search of the next block, 0 while it does not know.
    """

    count: int
    lease: str
    lease_ms: int
    rate: int
    cost_us: int = 0


@dataclass(frozen=True, slots=True)
class NextBlock:
    """A block that is ready to be opened: after a candidate, on whose header it is moved then.

    Attributes:
        template: the block.
        body: of the template, packed.
        is_asked: whether a mine request waited for it when its transactions were read.
    """

    template: Template
    body: bytes
    is_asked: bool

    def move(self, tip: Header, timestamps: Sequence[int], now_ms: int) -> "NextBlock":
        """The same on the complete header; see :meth:`Template.move`."""
        return replace(self, template=self.template.move(tip, timestamps, now_ms))


class Mining:
    """The exit of the queue."""

    def __init__(
        self, redis_client: RedisClient, keys: Keys, blocks: Blocks, rule_book: RuleBook
    ) -> None:
        self._redis = redis_client
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
        answer = self._redis.script(
            self._keys,
            "create_genesis",
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
        revision = self._rule_book.page.revision  # first: if they change meanwhile, it is refused
        self._rule_book.check_own_rules(reading.tip.index + 1)
        template = build_template(
            reading.tip,
            reading.timestamps,
            self._read_pending(reading.pending),
            bits=self._rules.bits,
            recipient=recipient,
            now_ms=reading.now_ms,
        )
        return replace(template, revision=revision)

    def open(self, reading: Reading, template: Template) -> OpenResult:
        """Offer ``template``, built on ``reading``, as the candidate of its tip.

        It replaces a candidate that the reading shows, and none that came since.

        Raises:
            WeakerRules: the network's rules changed meanwhile, and ask for more than this part's.
        """
        unfit = reading.candidate.prefix if reading.candidate else b""
        offer = NextBlock(template, pack_body(template.block.body), reading.mine_requests > 0)
        answer = self._redis.script(self._keys, *self._open_call(offer, unfit))
        if answer == b"OTHER_RULES":
            self._rule_book.read()
            self._rule_book.check_own_rules(template.block.header.index)
            return OpenResult.STALE
        return OpenResult(answer)

    def claim(self, want: Want) -> tuple[Reading, int | None]:
        """Take the next nonces of whatever candidate there is, and read the queue.

        Returns:
            The reading; the first nonce of its candidate, None where there is no candidate, or
            another one came in between.
        """
        return _read_claim(*self._redis.scripts(self._keys, self._claim_calls(want)))

    def build_next(
        self, reading: Reading, candidate: OpenCandidate, recipient: str
    ) -> NextBlock | None:
        """Build the block after ``candidate`` of what the reading brought along, without a call.

        Returns:
            None where the reading did not bring it all, or no mine request waits for it. What
            waits was read at one moment: whoever asks for a block finds in it, or before it, all
            that was accepted before.
        """
        if not _is_next_asked(reading, candidate) or reading.pending - candidate.count != len(
            reading.following
        ):
            return None
        return self.build_next_of(reading, candidate, reading.following, recipient)

    def read_next_entries(self, reading: Reading, candidate: OpenCandidate) -> list[bytes] | None:
        """Read the transactions of the block after a candidate, for a large one.

        Returns:
            None where no block is due yet, or the candidate is not open any more.
        """
        left = reading.pending - candidate.count
        if not _is_next_asked(reading, candidate) and left < self._rules.block_transactions:
            return None

        def read(first: int, last: int) -> list[bytes] | None:
            answer: Any = self._redis.script(
                self._keys, "read_following", [candidate.prefix, first, last]
            )
            return None if answer == b"STALE" else list(answer)

        return self._read_parts(read, left)

    def build_next_of(
        self,
        reading: Reading,
        candidate: OpenCandidate,
        entries: Sequence[bytes],
        recipient: str,
    ) -> NextBlock | None:
        """Build the block after ``candidate`` of pending transactions, as far as they fit.

        Returns:
            None where it may not be opened: the tip rests, or the rules ask for more than this
            part's.
        """
        header = Header.unpack(put_nonce(candidate.prefix, 0))
        revision = self._rule_book.page.revision  # as in :meth:`build`
        if reading.rest_ms or self._rule_book.is_weaker(header.index + 1):
            return None
        template = build_template(
            header,
            reading.timestamps,
            take_while_fits(entries, self._rules.limits),
            bits=self._rules.bits,
            recipient=recipient,
            now_ms=reading.now_ms,
        )
        template = replace(template, revision=revision)
        body = pack_body(template.block.body)
        return NextBlock(template, body, _is_next_asked(reading, candidate))

    def place_all_but_last(self, candidate: OpenCandidate, header: Header) -> None:
        """Give transactions of a large block their places, up to the last thousand.

        They count once the block is connected. Each part is a call of its own, so that others are
        served in between.
        """
        placed = 0
        while candidate.count - placed > PLACES_BATCH:
            answer: Any = self._redis.script(self._keys, *self._place_call(candidate, header))
            if answer == b"STALE":
                return  # what it means for the block, connect_block tells
            placed = int(answer)

    def complete(self, reading: Reading, candidate: OpenCandidate, nonce: int) -> Header:
        """The header of the candidate with ``nonce``, which follows the tip of ``reading``.

        Raises:
            InvalidBlock: it breaks a rule.
        """
        header = Header.unpack(put_nonce(candidate.prefix, nonce))
        validate_header(
            header,
            reading.tip,
            reading.timestamps,
            now_ms=reading.now_ms,
            minimum_bits=self._rules.bits,
        )
        return header

    def connect(self, reading: Reading, candidate: OpenCandidate, nonce: int) -> ConnectResult:
        """Append the candidate, completed by ``nonce``, to the chain that ``reading`` saw.

        Raises:
            InvalidBlock: the header breaks a rule; nothing was changed.
        """
        header = self.complete(reading, candidate, nonce)
        self.place_all_but_last(candidate, header)
        calls = self._connect_calls(reading, candidate, header)
        return ConnectResult(self._redis.scripts(self._keys, calls)[-1])

    def connect_and_go_on(
        self,
        reading: Reading,
        candidate: OpenCandidate,
        header: Header,
        next_block: NextBlock | None,
        want: Want,
    ) -> tuple[ConnectResult, Reading, int | None]:
        """Append the candidate, open ``next_block`` and claim, all in one round trip.

        Precondition: a large candidate has its places, see :meth:`place_all_but_last`.

        Args:
            reading: shows the candidate and the tip before it.
            candidate: what was searched.
            header: its complete one.
            next_block: what :meth:`build_next_of` gave, moved onto ``header``; opened if the
                candidate was connected.
            want: see :meth:`claim`.

        Returns:
            What became of the candidate; the reading and the first nonce as :meth:`claim` gives
            them.
        """
        calls = self._connect_calls(reading, candidate, header)
        connects = len(calls)
        if next_block:
            calls.append(self._open_call(next_block, b""))
        answers = self._redis.scripts(self._keys, [*calls, *self._claim_calls(want)])
        return ConnectResult(answers[connects - 1]), *_read_claim(*answers[-2:])

    def _open_call(self, offer: NextBlock, unfit: bytes) -> Call:
        template = offer.template
        header = template.block.header
        return (
            "open_candidate",
            [
                header.previous_hash,
                header.prefix,
                template.count,
                bytes.fromhex(template.reward.id),
                offer.body,
                unfit,
                count_contracts(template.block.leaves),
                template.revision,
                int(offer.is_asked),
            ],
        )

    def _claim_calls(self, want: Want) -> list[Call]:
        nonces: Call = (
            "claim_range",
            [want.count, want.lease, want.lease_ms, want.rate, want.cost_us],
        )
        return [nonces, read_call(following=_FOLLOWING)]

    def _connect_calls(
        self, reading: Reading, candidate: OpenCandidate, header: Header
    ) -> list[Call]:
        """The last places and the connection; places before the last are given by now."""
        digest = header.hash
        calls: list[Call] = [self._place_call(candidate, header)] if candidate.count else []
        connect: Call = (
            "connect_block",
            [
                candidate.prefix,
                digest,
                digest.hex(),
                header.index,
                Record(header, reading.tip_work + header.work).pack(),
                name_root(header),
                self._keys.connected,
            ],
        )
        return [*calls, connect]

    def _place_call(self, candidate: OpenCandidate, header: Header) -> Call:
        return (
            "place_transactions",
            [candidate.prefix, header.index, name_root(header), PLACES_BATCH],
        )

    def _read_pending(self, pending: int) -> list[bytes]:
        """The transactions at the head of pending that fit in one block.

        Between the parts the head cannot change without the tip, and then the candidate is refused.
        """

        def read(first: int, last: int) -> list[bytes]:
            found: Any = self._redis.run(
                lambda client: client.lrange(self._keys.pending, first, last)
            )
            return list(found)

        entries = self._read_parts(read, pending)
        return take_while_fits(entries or [], self._rules.limits)

    def _read_parts(
        self, read: Callable[[int, int], list[bytes] | None], most: int
    ) -> list[bytes] | None:
        """Transactions for a block, in parts, so that no command keeps the server from others.

        Args:
            read: gives the entries from the first to the last of a range; None ends it all.
            most: how many there are.
        """
        most = min(most, self._rules.block_transactions)
        taken: list[bytes] = []
        size = 0
        for start in range(0, most, _ENTRIES_BATCH):
            end = min(start + _ENTRIES_BATCH, most) - 1
            entries = read(start, end)
            if entries is None:
                return None
            taken += (entry[ENTRY_HEAD:] for entry in entries)
            size += sum(map(len, entries))
            if size > self._rules.block_bytes or len(entries) <= end - start:
                break
        return taken


def _is_next_asked(reading: Reading, candidate: OpenCandidate) -> bool:
    """Whether a mine request waits for the block after ``candidate``."""
    return reading.mine_requests > bool(candidate.job)


def _read_claim(claimed: Any, read: list[Any]) -> tuple[Reading, int | None]:
    reading = parse_reading(read)
    is_current = claimed != b"NONE" and reading.candidate and reading.candidate.prefix == claimed[0]
    return reading, int(claimed[1]) if is_current else None
