"""Taking over a heavier branch: staged beside the chain, then swapped in by one script.

What is staged does not count: it stands under names of its own that nobody reads, and vanishes by
itself where nobody finishes it.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from minequeue.chain.errors import BranchTooLarge, InvalidBlock
from minequeue.chain.ledger.blocks import Blocks, name_root, pack_body
from minequeue.chain.ledger.keys import BranchKeys, Keys
from minequeue.chain.ledger.record import Record
from minequeue.chain.ledger.redis_client import RedisClient
from minequeue.chain.ledger.rule_book import RuleBook
from minequeue.chain.ledger.settlement import Settlement
from minequeue.chain.protocol.block import Block, count_contracts
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.header_branch import HeaderBranch
from minequeue.chain.protocol.validation import validate_body

MAX_STAGED_BYTES = 256 * 2**20  # of transactions; a branch that needs more is refused
_STAGED_S = 600  # how long what was staged is kept after the last of it came
_BATCH = 1000


class AdoptResult(Enum):
    """What became of an offered branch."""

    ADOPTED = b"ADOPTED"
    ALREADY = b"ALREADY"
    STALE = b"STALE"


class _Named(msgspec.Struct):
    """A transaction as far as its id."""

    id: str


_read_name = msgspec.json.Decoder(_Named).decode


class Branches:
    """The entrance for blocks that others mined."""

    def __init__(
        self, redis_client: RedisClient, keys: Keys, blocks: Blocks, rule_book: RuleBook
    ) -> None:
        self._redis = redis_client
        self._keys = keys
        self._blocks = blocks
        self._rule_book = rule_book

    def begin_headers(self, fork: Record) -> HeaderBranch:
        """Begin to check headers that follow ``fork``, a block of ours."""
        page = self._rule_book.page
        return HeaderBranch(
            fork.header,
            fork.cumulative_work,
            self._blocks.read_recent_timestamps(fork.header.index),
            find_least_bits=lambda index: page.record.at(index).bits,
            revision=page.revision,
        )

    def stage(self, headers: HeaderBranch) -> "Branch":
        """Begin a branch whose headers were checked; nothing of the chain changes."""
        Settlement(self._redis, self._keys).finish()
        return Branch(self._redis, self._keys, self._blocks, headers, self._rule_book)


class Branch:
    """A branch that is being staged, block by block.

    Attributes:
        count: how many of its blocks were added.
        size: the bytes of their transactions.
    """

    def __init__(
        self,
        redis_client: RedisClient,
        keys: Keys,
        blocks: Blocks,
        headers: HeaderBranch,
        rule_book: RuleBook,
    ) -> None:
        self._rule_book = rule_book
        self._redis = redis_client
        self._keys = keys
        self._staged = keys.branch(uuid.uuid4().hex)  # the blocks; _Stale has names of its own
        self._blocks = blocks
        self._headers = headers
        self._ids: set[bytes] = set()
        self._contracts = 0
        self.size = 0
        self._stale = self._begin_stale()
        self.count = 0
        self._tip = blocks.tip().header  # the one that `_seen` is true of
        self._seen = self._count_pending()  # what came later may be what the branch holds

    def add(self, block: Block) -> None:
        """Add the block of the next header.

        Raises:
            InvalidBlock: it is another block, its body breaks a rule, or a transaction stands in
                the chain before it.
            BranchTooLarge: together they take more room than a branch may.
            LedgerUnavailable: the server does not answer.
            QueueFull: the server's memory is used up.
        """
        header = block.header
        if header != self._headers.headers[self.count]:
            raise InvalidBlock(
                f"Block {header.index} is invalid: it has another header.", index=header.index
            )
        self.size += len(block.body)
        if self.size > MAX_STAGED_BYTES:
            raise BranchTooLarge
        limits = self._rule_book.page.record.at(header.index)
        valid = validate_body(block, limits, signed=self._rule_book.rules.signed)
        ids = [bytes.fromhex(transaction.id) for transaction in valid]
        blocks, pending = self._blocks.survey(ids)
        self._validate_no_doubles(ids, blocks, header.index)
        self._ids.update(ids)
        self._write(block, ids, pending)
        self._contracts += count_contracts(block.leaves)
        self.count += 1
        self._stale = self._begin_stale()  # what was to return may stand in this block

    def adopt(self, best: Record) -> AdoptResult:
        """Let the blocks that were added replace all of ours after the fork.

        Args:
            best: the record of the tip that is replaced.

        Returns:
            STALE where the tip or the rules are others by now, or what was staged is no longer
            there.

        Raises:
            ValueError: the branch is not heavier than that tip.
        """
        tip = self._headers.headers[self.count - 1]
        if self._headers.work_at(tip.index) <= best.cumulative_work:
            raise ValueError("a branch is adopted only where it is heavier")
        if not self._stage_stale(best) or not self._see(best):
            return AdoptResult.STALE
        while isinstance(answer := self._swap(best, tip), int):
            self._seen = answer
        adopting = AdoptResult(answer)
        if adopting is not AdoptResult.STALE:
            Settlement(self._redis, self._keys).finish()
        return adopting

    def _swap(self, best: Record, tip: Header) -> bytes | int:
        staged, stale = self._staged, self._stale
        answer: bytes | int = self._redis.script(
            self._keys,
            "adopt_branch",
            [
                best.header.hash,
                self._headers.fork.index,
                tip.hash,
                len(self._ids),
                stale.returned,
                stale.returned_bytes,
                stale.rewards,
                self._seen,
                _BATCH,
                self._keys.connected,
                self._contracts - stale.contracts,
                self._headers.revision,
            ],
            branch_records=staged.records,
            branch_bodies=staged.bodies,
            branch_arrived=staged.arrived,
            branch_returned=stale.keys.returned,
            branch_leaving=staged.leaving,
            branch_rewards=stale.keys.rewards,
        )
        if answer == b"OTHER_RULES":
            self._rule_book.read()
            return AdoptResult.STALE.value
        return answer

    def _see(self, best: Record) -> bool:
        """Follow the blocks that took their transactions from the head of pending since.

        Returns:
            False where the chain became another meanwhile.
        """
        for block in self._blocks.iterate(self._tip.index + 1, best.header.index):
            if block.header.previous_hash != self._tip.hash:
                break
            ids = [_name(leaf) for leaf in block.leaves]
            self._stay(ids)
            self._seen = max(0, self._seen - (len(ids) - 1))  # a reward never was pending
            self._tip = block.header
        return self._tip.hash == best.header.hash

    def _stay(self, ids: Sequence[bytes]) -> None:
        """Note that these are not pending any more, so that they do not leave it."""

        def remove(client: Any) -> None:
            for part in _cut(ids):
                client.srem(self._staged.leaving, *part)

        self._redis.run(remove)

    def _count_pending(self) -> int:
        """How many are pending. Read after the tip, since it is safe to know too few of them."""
        count: Any = self._redis.run(lambda client: client.llen(self._keys.pending))
        return int(count)

    def _validate_no_doubles(self, ids: Sequence[bytes], blocks: set[int], index: int) -> None:
        """See that no transaction stands twice in the chain that the branch would make."""
        fork = self._headers.fork.index
        if not self._ids.isdisjoint(ids) or any(block <= fork for block in blocks):
            raise InvalidBlock(
                f"Block {index} is invalid: a transaction stands in an earlier block as well.",
                index=index,
            )

    def _write(self, block: Block, ids: Sequence[bytes], pending: Sequence[bytes]) -> None:
        header, staged = block.header, self._staged
        record = Record(header, self._headers.work_at(header.index)).pack()
        body = pack_body(block.body)
        root = name_root(header)
        places: list[bytes] = []
        for position, own_id in enumerate(ids):
            places += own_id, b"%d:%d:%b" % (header.index, position, root)

        def write(client: Any) -> None:
            with client.pipeline(transaction=False) as pipe:
                pipe.hset(staged.records, str(header.index), record)
                pipe.hset(staged.bodies, str(header.index), body)
                for part in _cut(places):
                    pipe.hset(staged.arrived, items=list(part))
                for part in _cut(pending):
                    pipe.sadd(staged.leaving, *part)
                for key in (staged.records, staged.bodies, staged.arrived, staged.leaving):
                    pipe.expire(key, _STAGED_S)
                pipe.execute()

        self._redis.run(write)

    def _begin_stale(self) -> "_Stale":
        fork = self._headers.fork
        return _Stale(self._keys.branch(uuid.uuid4().hex), fork.index, fork.hash)

    def _stage_stale(self, best: Record) -> bool:
        """Write down what the blocks after the fork up to ``best`` give back; all but what was.

        Returns:
            False where the chain became another meanwhile.
        """
        stale = self._stale
        for block in self._blocks.iterate(stale.index + 1, best.header.index):
            if block.header.previous_hash != stale.hash:
                break
            self._give_back(block)
        return stale.hash == best.header.hash

    def _give_back(self, block: Block) -> None:
        stale = self._stale
        accepted = b"%013d" % block.header.timestamp
        named = [(_name(leaf), leaf) for leaf in block.leaves]
        *entries, reward = ((own_id, own_id + accepted + leaf) for own_id, leaf in named)
        returned = [entry for own_id, entry in entries if own_id not in self._ids]
        rewards = [own_id for own_id, _ in [reward] if own_id not in self._ids]

        def write(client: Any) -> None:
            # in one transaction: a list that is sent again after a lost reply would hold it twice,
            # and the count of its elements shows that
            with client.pipeline(transaction=True) as pipe:
                for key, values in ((stale.keys.returned, returned), (stale.keys.rewards, rewards)):
                    for part in _cut(values):
                        pipe.rpush(key, *part)
                    pipe.expire(key, _STAGED_S)
                pipe.execute()

        self._redis.run(write)
        stale.index, stale.hash = block.header.index, block.header.hash
        stale.returned += len(returned)
        stale.returned_bytes += sum(map(len, returned))
        stale.rewards += len(rewards)
        stale.contracts += count_contracts(block.leaves)


@dataclass(slots=True)
class _Stale:
    """What the blocks that would be stale give back, as far as it was written down.

    Attributes:
        keys: where it stands.
        index: of the last of those blocks, the fork's where there is none yet.
        hash: of that block.
        returned: how many transactions.
        returned_bytes: their size as entries of pending.
        rewards: how many rewards, which are void.
        contracts: how many of their transactions have a contract.
    """

    keys: BranchKeys
    index: int
    hash: bytes
    returned: int = 0
    returned_bytes: int = 0
    rewards: int = 0
    contracts: int = 0


def _name(leaf: bytes) -> bytes:
    """The id of a transaction, 32 bytes."""
    return bytes.fromhex(_read_name(leaf).id)


def _cut(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
