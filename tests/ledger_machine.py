"""A state machine that drives the ledger's scripts in any order, against a model of the promises.

The model is two lists and a chain, all plain Python. Three miners take their steps one at a time,
so every interleaving of building, opening, claiming and connecting is tried, as are crashes
between any two steps, replies that are lost, and leases that end.
"""

from dataclasses import dataclass, field, replace

import redis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from minequeue.chain.ledger import (
    ConnectResult,
    Ledger,
    Location,
    MinedBy,
    OpenResult,
    Pending,
    RedisClient,
    Submission,
    SubmitResult,
)
from minequeue.chain.ledger.mining import Want
from minequeue.chain.protocol.block_template import Template
from minequeue.chain.protocol.validation import validate_body, validate_header
from minequeue.chain.scaling.backlog import OpenCandidate, Reading
from tests.ledgers import (
    BOUNDS,
    RULES,
    let_a_day_pass,
    make_job,
    make_ledger,
    make_transaction,
    mine_all,
    mined_ids,
    place_some,
    read_chain,
)
from tests.mining_steps import build_template, claim_range, solve

MINERS = st.integers(0, 2)
SMALL_BLOCKS = replace(RULES, block_transactions=3)  # so that many are due by themselves


@dataclass
class Miner:
    """How far a miner has come; a crash forgets it all."""

    built: tuple[Reading, Template] | None = None
    joined: tuple[Reading, OpenCandidate] | None = None


@dataclass
class Model:
    """What the promises say the ledger must hold."""

    pending: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    before: dict[str, set[str]] = field(default_factory=dict)  # what was pending at each request
    mined: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    candidate: tuple[bytes, list[str], str] | None = None  # prefix, ids it takes, its request
    blocks: int = 1


class LedgerMachine(RuleBasedStateMachine):
    """The machine; a subclass says which server runs the scripts."""

    def make_client(self) -> redis.Redis:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.client = self.make_client()
        self.client.flushall()
        self.ledger: Ledger = make_ledger(RedisClient(self.client, wait_s=2), SMALL_BLOCKS)
        self.model = Model()
        self.miners = [Miner() for _ in range(3)]
        self.submitted: list[Submission] = []
        self.ages: dict[str, int] = {}  # of the keys that are known, in days
        self.solved: list[tuple[Reading, OpenCandidate, int]] = []

    @rule(count=st.integers(1, 4), named=st.booleans())
    def submit(self, count: int, named: bool) -> None:
        key = f"key{len(self.submitted)}" if named else None
        submission = Submission([make_transaction() for _ in range(count)], key)
        fits = len(self.model.pending) + count <= BOUNDS.pending
        expected = SubmitResult.ACCEPTED if fits else SubmitResult.FULL
        assert self.ledger.mempool.submit([submission]) == [expected]
        if fits:
            self.model.pending += [transaction.id for transaction in submission.transactions]
            self.submitted.append(submission)
            self._note_key(submission)

    @rule()
    def submit_more_than_fits(self) -> None:
        room = BOUNDS.pending - len(self.model.pending)
        submission = Submission([make_transaction() for _ in range(room + 1)], "too many")
        assert self.ledger.mempool.submit([submission]) == [SubmitResult.FULL]

    @precondition(lambda self: self.submitted)
    @rule(data=st.data())
    def repeat_after_a_lost_reply(self, data: st.DataObject) -> None:
        submission = data.draw(st.sampled_from(self.submitted))
        assert self.ledger.mempool.submit([submission]) == [SubmitResult.ACCEPTED]
        self._note_key(submission)

    def _note_key(self, submission: Submission) -> None:
        if submission.idempotency_key:
            self.ages.setdefault(submission.idempotency_key, 0)

    @rule()
    def a_day_passes(self) -> None:
        let_a_day_pass(self.ledger)
        self.ages = {key: age + 1 for key, age in self.ages.items() if age == 0}

    @precondition(lambda self: self.ages)
    @rule(data=st.data())
    def reuse_a_key(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.ages)))
        other = Submission([make_transaction()], key)
        assert self.ledger.mempool.submit([other]) == [SubmitResult.KEY_REUSED]

    @rule(twice=st.booleans())
    def request_mine(self, twice: bool) -> None:
        job = make_job()
        for _ in range(1 + twice):
            assert self.ledger.mempool.request_mine(job) is SubmitResult.ACCEPTED
        self.model.requests.append(job)
        self.model.before[job] = set(self.model.pending)

    @rule(who=MINERS)
    def build(self, who: int) -> None:
        reading = self.ledger.queue.read()
        template = self.ledger.mining.build(reading, "node")
        due = bool(
            self.model.requests
            or self.model.candidate
            or len(self.model.pending) >= SMALL_BLOCKS.block_transactions
        )
        assert (template is not None) == due
        self.miners[who].built = (reading, template) if template else None

    @precondition(lambda self: any(miner.built for miner in self.miners))
    @rule(data=st.data())
    def open(self, data: st.DataObject) -> None:
        miner = data.draw(st.sampled_from([m for m in self.miners if m.built]))
        assert miner.built
        reading, template = miner.built
        miner.built = None
        answer = self.ledger.mining.open(reading, template)
        replaces = reading.candidate.prefix if reading.candidate else None
        if reading.tip.index != self.model.blocks:
            assert answer is OpenResult.STALE
        elif self.model.candidate and self.model.candidate[0] != replaces:
            assert answer is OpenResult.JOINED
        else:
            assert answer is OpenResult.OPENED
            self._note_candidate(template, is_asked=reading.mine_requests > 0)
        self._join(miner)

    @precondition(lambda self: self.model.candidate)
    @rule(who=MINERS)
    def join(self, who: int) -> None:
        self._join(self.miners[who])

    def _join(self, miner: Miner) -> None:
        reading = self.ledger.queue.read()
        expected = self.model.candidate and self.model.candidate[0]
        assert (reading.candidate and reading.candidate.prefix) == expected
        miner.joined = (reading, reading.candidate) if reading.candidate else None

    @precondition(lambda self: any(miner.joined for miner in self.miners))
    @rule(data=st.data(), expires=st.booleans())
    def claim(self, data: st.DataObject, expires: bool) -> None:
        miner = data.draw(st.sampled_from([m for m in self.miners if m.joined]))
        assert miner.joined
        reading, candidate = miner.joined
        with self.ledger.fleet.lease() as lease:
            lease_ms = -1 if expires else 5000
            start = claim_range(self.ledger, candidate, 10, lease=lease, lease_ms=lease_ms)
            assert self.ledger.queue.read().miners == (0 if expires else 1)
        is_current = self.model.candidate is not None and (
            self.model.candidate[0] == candidate.prefix
        )
        assert (start is not None) == is_current
        if start is None:
            miner.joined = None
        else:
            self.solved.append((reading, candidate, solve(candidate, start)))

    @precondition(lambda self: self.solved)
    @rule(data=st.data())
    def place_some_and_die(self, data: st.DataObject) -> None:
        _, candidate, _ = data.draw(st.sampled_from(self.solved))
        is_current = self.model.candidate is not None and (
            self.model.candidate[0] == candidate.prefix
        )
        assert (place_some(self.ledger, candidate, 1) != b"STALE") == is_current

    @precondition(lambda self: self.solved)
    @rule(data=st.data())
    def connect(self, data: st.DataObject) -> None:
        reading, candidate, nonce = data.draw(st.sampled_from(self.solved))
        answer = self.ledger.mining.connect(reading, candidate, nonce)
        self._note_connection(candidate, answer)

    @precondition(lambda self: self.solved)
    @rule(data=st.data(), times=st.integers(1, 2), is_read=st.booleans())
    def connect_and_go_on(self, data: st.DataObject, times: int, is_read: bool) -> None:
        reading, candidate, nonce = data.draw(st.sampled_from(self.solved))
        header = self.ledger.mining.complete(reading, candidate, nonce)
        built = self.ledger.mining.build_next(reading, candidate, "node")
        if is_read:  # as for large blocks
            entries = self.ledger.mining.read_next_entries(reading, candidate)
            current = self.model.candidate
            assert not entries or (current and current[0] == candidate.prefix)
            built = (
                self.ledger.mining.build_next_of(reading, candidate, entries, "node")
                if entries is not None
                else None
            )
        following = built.move(header, reading.timestamps, header.timestamp) if built else None
        for _ in range(times):  # its reply may be lost
            with self.ledger.fleet.lease() as lease:
                answer, after, start = self.ledger.mining.connect_and_go_on(
                    reading, candidate, header, following, Want(10, lease, 5000, 1)
                )
            self._note_connection(candidate, answer)
            assert (after.candidate is None) == (start is None)
            current = self.model.candidate
            if after.candidate and not (current and current[0] == after.candidate.prefix):
                assert following
                assert (current, start) == (None, 0)
                self._note_candidate(following.template, is_asked=following.is_asked)
            if after.candidate and start is not None:
                self.solved.append((after, after.candidate, solve(after.candidate, start)))

    @precondition(lambda self: self.model.requests or self.model.candidate)
    @rule()
    def a_fourth_miner_connects_a_whole_block(self) -> None:
        reading = self.ledger.queue.read()
        if reading.candidate is None:
            reading, template = build_template(self.ledger)
            assert self.ledger.mining.open(reading, template) is OpenResult.OPENED
            self._note_candidate(template, is_asked=reading.mine_requests > 0)
            reading = self.ledger.queue.read()
        assert reading.candidate is not None
        nonce, late = (solve(reading.candidate, start) for start in (1 << 40, 1 << 41))
        self.solved += [(reading, reading.candidate, nonce), (reading, reading.candidate, late)]
        answer = self.ledger.mining.connect(reading, reading.candidate, nonce)
        self._note_connection(reading.candidate, answer)

    def _note_connection(self, candidate: OpenCandidate, answer: ConnectResult) -> None:
        current = self.model.candidate
        if current is None or current[0] != candidate.prefix:
            assert answer in {ConnectResult.ALREADY, ConnectResult.STALE}
            return
        assert answer is ConnectResult.CONNECTED
        _, ids, job = current
        self.model.candidate = None
        self.model.blocks += 1
        self.model.mined += ids
        del self.model.pending[: len(ids)]
        if job:
            assert self.model.requests.pop(0) == job
            is_full = len(ids) == SMALL_BLOCKS.block_transactions
            assert is_full or self.model.before[job] <= set(self.model.mined)
            self.model.done.append(job)

    def _note_candidate(self, template: Template, *, is_asked: bool) -> None:
        self.model.candidate = (
            template.block.header.prefix,
            self.model.pending[: template.count],
            self.model.requests[0] if is_asked else "",
        )

    @rule(who=MINERS)
    def crash(self, who: int) -> None:
        self.miners[who] = Miner()

    @invariant()
    def the_queue_is_exactly_what_was_accepted_and_not_mined(self) -> None:
        reading = self.ledger.queue.read()
        assert reading.pending == len(self.model.pending)
        assert reading.mine_requests == len(self.model.requests)
        assert reading.tip.index == self.model.blocks

    def teardown(self) -> None:
        if not hasattr(self, "client"):
            return
        try:
            self._check_the_end()
        finally:
            self.client.close()

    def _check_the_end(self) -> None:
        mine_all(self.ledger)
        everything = self.model.mined + self.model.pending
        assert list(mined_ids(self.ledger)) == everything
        self._check_places()
        made = [self.ledger.blocks.locate_job(job) for job in self.model.done]
        indexes = [place.index for place in made if isinstance(place, MinedBy)]
        assert len(set(indexes)) == len(self.model.done)
        assert self.ledger.queue.read().pending_bytes == 0
        self._check_every_rule()

    def _check_places(self) -> None:
        for block in read_chain(self.ledger):
            for position, leaf in enumerate(block.leaves):
                transaction_id = bytes.fromhex(leaf.decode().split('"id":"')[1][:64])
                place = self.ledger.blocks.locate_transaction(transaction_id)
                assert place == Location(block.header, position)

    @precondition(lambda self: self.model.pending)
    @rule(data=st.data())
    def what_is_not_mined_is_pending(self, data: st.DataObject) -> None:
        transaction_id = bytes.fromhex(data.draw(st.sampled_from(self.model.pending)))
        assert self.ledger.blocks.locate_transaction(transaction_id) == Pending()

    def _check_every_rule(self) -> None:
        previous, *blocks = read_chain(self.ledger)
        timestamps = [previous.header.timestamp]
        now_ms = self.ledger.queue.read().now_ms
        for block in blocks:
            validate_header(
                block.header,
                previous.header,
                timestamps,
                now_ms=now_ms,
                minimum_bits=RULES.bits,
            )
            validate_body(block)
            timestamps.append(block.header.timestamp)
            previous = block
