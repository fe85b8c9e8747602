"""What live pages show: samples of queue and chain and the newest blocks, in this process's memory.

A thread takes a sample each period, whether anybody watches or not; so a page costs the ledger
nothing, however many are open, and whoever opens one sees the last minutes at once. Where processes
sleep between requests, a request takes it.
"""

import logging
import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from minequeue.chain.background import Background
from minequeue.chain.errors import LedgerUnavailable, MinequeueError
from minequeue.chain.ledger import Ledger
from minequeue.chain.protocol.header import Header
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.backlog import Reading
from minequeue.chain.scaling.policy import Policy
from minequeue.web.warnings import list_warnings

PERIOD_S = 2
KEPT = 300  # samples, ten minutes
_BLOCKS = 10  # the newest
_log = logging.getLogger(__name__)


class Sample(msgspec.Struct):
    """Queue, chain and fleet at one moment; what is counted only grows, so rates are differences.

    Attributes:
        number: the moment, in periods since 1970.
        time_ms: of the server's clock, Unix milliseconds.
        height: the tip's index.
        pending: transactions that wait.
        mine_requests: mine requests that wait.
        oldest_s: how long the oldest entry has waited.
        drain_s: until the queue is empty; None while no hash rate is known.
        hash_rate: hashes a second of the miners at work.
        miners: that are at work.
        fleet: that the live workers can run.
        wanted: that the queue deserves.
        accepted: transactions, counted.
        mined: transactions, counted.
        connected: candidates that became blocks, counted.
        failed: candidates that did not, stale or abandoned, counted.
    """

    number: int
    time_ms: int
    height: int
    pending: int
    mine_requests: int
    oldest_s: float
    drain_s: float | None
    hash_rate: int
    miners: int
    fleet: int
    wanted: int
    accepted: int
    mined: int
    connected: int
    failed: int


class BlockLine(msgspec.Struct):
    """A block as a list shows it; its transactions are counted without the reward."""

    index: int
    hash: str
    timestamp: int
    transactions: int


@dataclass(frozen=True, slots=True)
class View:
    """What there is to be seen.

    Attributes:
        samples: numbers and JSON, oldest first, one at least.
        blocks: the newest, newest first.
        warnings: what an operator should know and change.
        is_away: the server did not answer since, or may not be used.
        reason: why it may not, as a sentence, else "".
    """

    samples: tuple[tuple[int, bytes], ...]
    blocks: tuple[BlockLine, ...]
    warnings: tuple[str, ...] = ()
    is_away: bool = False
    reason: str = ""

    @property
    def newest(self) -> Sample:
        """The newest sample."""
        return msgspec.json.decode(self.samples[-1][1], type=Sample)

    def write_after(self, number: int) -> bytes | None:
        """The samples after the one of that number, newest blocks and warnings, as a JSON object.

        Returns:
            It, or None where there is no sample after that one.
        """
        # a number that is yet to come is of another chain: begin anew
        after = 0 if number > self.samples[-1][0] else number
        news = [msgspec.Raw(sample) for taken, sample in self.samples if taken > after]
        told = {"samples": news, "blocks": self.blocks, "warnings": self.warnings}
        return msgspec.json.encode(told) if news else None


class Live:
    """Takes samples and keeps what pages are shown; safe for use by many threads.

    Nobody waits here for the server but the one that takes a sample.

    Args:
        ledger: is looked at.
        policy: how many miners there should be.
    """

    def __init__(self, ledger: Ledger, policy: Policy) -> None:
        self._ledger = ledger
        self._policy = policy
        self._view: View | None = None
        self._failure: MinequeueError | None = None  # of the last time, where nothing was seen
        self._taking = threading.Lock()
        self._taken = -math.inf  # when the last look began, by a clock that only grows
        self._background = Background("live", self._take_or_warn, pause_s=PERIOD_S)
        self._has_thread = False

    def start(self) -> None:
        """Take a sample each period from now on, in a thread that ends with the process."""
        self._has_thread = True
        self._background.start()

    def view(self) -> View:
        """What was seen the last time; without a thread, look where that is a period ago.

        Raises:
            MinequeueError: nothing was seen yet: the server is away, or its memory used up.
        """
        is_old = time.monotonic() - self._taken >= PERIOD_S
        if is_old and not (self._has_thread and (self._view or self._failure)):
            with suppress(MinequeueError):  # what came of it is kept
                self.take()
        if self._view is None:
            raise self._failure or LedgerUnavailable
        return self._view

    def take(self) -> None:
        """Take a sample, and what others took meanwhile.

        Raises:
            MinequeueError: the server is away, or its memory is used up.
            LedgerLost: there is no genesis block.
        """
        with self._taking:
            self._taken = time.monotonic()
            try:
                self._view = self._take(self._view or View((), ()))
            except Exception as error:
                self._failure = error if isinstance(error, MinequeueError) else LedgerUnavailable()
                if self._view:
                    # one that only does not answer has no sentence that is meant for a page
                    is_told = type(self._failure) is not LedgerUnavailable
                    reason = str(self._failure) if is_told else ""
                    self._view = replace(self._view, is_away=True, reason=reason)
                raise

    def _take(self, seen: View) -> View:
        reading, sample = self._look()
        if seen.samples and sample.number < seen.samples[-1][0]:
            seen = View((), seen.blocks)  # the server's clock was set back: begin anew
        kept = self._ledger.samples.keep(
            sample.number,
            msgspec.json.encode(sample),
            most=KEPT,
            after=seen.samples[-1][0] if seen.samples else 0,
        )
        samples = (*seen.samples, *kept)[-KEPT:]
        warnings = tuple(list_warnings(reading, self._ledger))
        return View(samples, self._list_blocks(reading, seen.blocks), warnings)

    def _look(self) -> tuple[Reading, Sample]:
        reading, decision = self._ledger.queue.look(self._policy)
        counted = self._ledger.metrics.count()
        sample = Sample(
            number=reading.now_ms // (1000 * PERIOD_S),
            time_ms=reading.now_ms,
            height=reading.tip.index,
            pending=reading.pending,
            mine_requests=reading.mine_requests,
            oldest_s=reading.oldest_age_s,
            drain_s=backlog.estimate_drain_s(reading, self._ledger.rules),
            hash_rate=reading.live_rate,
            miners=reading.miners,
            fleet=reading.fleet,
            wanted=decision.wanted,
            accepted=counted.get("accepted", 0),
            mined=counted.get("mined", 0),
            connected=counted.get("connected", 0),
            failed=counted.get("stale_finds", 0) + counted.get("abandoned", 0),
        )
        return reading, sample

    def _list_blocks(
        self, reading: Reading, listed: tuple[BlockLine, ...]
    ) -> tuple[BlockLine, ...]:
        """The newest blocks; those that are ``listed`` already are not read again."""
        if listed and listed[0].hash == reading.tip.hash.hex():
            return listed
        known = {line.hash: line for line in listed}
        last = reading.tip.index
        records = self._ledger.blocks.read_records(max(1, last - _BLOCKS + 1), last)
        lines = []
        for header in (record.header for record in reversed(records)):
            line = known.get(header.hash.hex()) or self._read_line(header)
            if line is None:
                return listed  # the chain became another one meanwhile; the next look shows it
            lines.append(line)
        return tuple(lines)

    def _read_line(self, header: Header) -> BlockLine | None:
        block = self._ledger.blocks.read_block(header.index)
        if block is None or block.header != header:
            return None
        count = max(0, len(block.leaves) - 1)
        return BlockLine(header.index, header.hash.hex(), header.timestamp, count)

    def _take_or_warn(self) -> None:
        try:
            self.take()
        except MinequeueError as error:
            _log.warning("no sample for the live pages (%s)", type(error).__name__)
