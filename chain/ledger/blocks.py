"""Reading the chain: tip, headers, blocks, and where a transaction or a job stands."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from minequeue.chain.errors import LedgerLost
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.record import Record
from minequeue.chain.ledger.redis_client import RedisClient
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.header import Header
from minequeue.chain.protocol.validation import MEDIAN_SPAN

_HEADERS_BATCH = 500  # 64 KB of records in one answer
_IDS_BATCH = 1000
_COMPRESSION = 1  # zlib's fastest: a block's hashes hardly shrink further
_BODIES_BATCH = 4  # an answer holds at most so many blocks; a block has a few megabytes


@dataclass(frozen=True, slots=True)
class Location:
    """Where a transaction stands: its block's header, and its position in the block from 0."""

    header: Header
    position: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Accepted, and not in a block yet."""


@dataclass(frozen=True, slots=True)
class MinedBy:
    """The block that a mine request made: its index and its hash in hex."""

    index: int
    hash: str


def pack_body(body: bytes) -> bytes:
    """How the ledger keeps a block's body."""
    return zlib.compress(body, _COMPRESSION)


def name_root(header: Header) -> bytes:
    """How a transaction's place names its block's content: equal roots mean equal positions."""
    return header.merkle_root[:8]


class Blocks:
    """The chain as it is read; nothing here changes it."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._redis = redis_client
        self._keys = keys

    def tip(self) -> Record:
        """The last block's record."""
        raw = self._get(self._keys.tip, "record")
        if raw is None:
            raise LedgerLost
        return Record.unpack(raw)

    def read_recent_timestamps(self, index: int) -> list[int]:
        """Those that the block after ``index`` is judged by, oldest first; Unix milliseconds."""
        recent = self.read_records(max(1, index - MEDIAN_SPAN + 1), index)
        return [record.header.timestamp for record in recent]

    def find_index(self, digest: bytes) -> int | None:
        """The index of the block with this hash (32 bytes), or None."""
        raw = self._get(self._keys.indexes, digest)
        return None if raw is None else int(raw)

    def read_block(self, index: int) -> Block | None:
        """The block at ``index``, or None past the tip."""
        return next(self.iterate(index, index), None)

    def read_records(self, first: int, last: int) -> list[Record]:
        """The records from ``first`` to ``last``, both included, as far as there are any."""
        return list(self.iterate_records(first, last))

    def iterate_records(self, first: int, last: int) -> Iterator[Record]:
        """As :meth:`read_records`, in constant memory."""
        for start in range(first, last + 1, _HEADERS_BATCH):
            indexes = range(start, min(start + _HEADERS_BATCH, last + 1))
            for raw in self._get_many(self._keys.records, indexes):
                if raw is None:
                    return
                yield Record.unpack(raw)

    def iterate(self, first: int, last: int) -> Iterator[Block]:
        """The blocks from ``first`` to ``last``, both included, in constant memory."""
        for start in range(first, last + 1, _BODIES_BATCH):
            indexes = range(start, min(start + _BODIES_BATCH, last + 1))
            records = self._get_many(self._keys.records, indexes)
            bodies = self._get_many(self._keys.bodies, indexes)
            for record, body in zip(records, bodies, strict=True):
                if record is None or body is None:
                    return
                yield Block(Record.unpack(record).header, zlib.decompress(body))

    def locate_transaction(self, transaction_id: bytes) -> Location | Pending | None:
        """Where the transaction with this id (32 bytes) is; None where nobody knows it."""

        def read(client: Any) -> Any:
            # arrived first: what is settled between the two is found in the second
            with client.pipeline(transaction=False) as pipe:
                pipe.hget(self._keys.arrived, transaction_id)
                pipe.hget(self._keys.transactions, transaction_id)
                return pipe.execute()

        found = [raw for raw in self._redis.run(read) if raw is not None]
        for raw in filter(None, found):
            index, position, root = raw.split(b":", 2)
            header = self.read_header(int(index))
            if header is not None and name_root(header) == root:
                return Location(header, int(position))
            # else of a candidate that is no block yet, or never became one
        return Pending() if found else None

    def survey(self, ids: Sequence[bytes]) -> tuple[set[int], list[bytes]]:
        """Find transactions by their ids, in a ledger that is settled.

        Returns:
            The indexes of the blocks that hold any of them, and the ids of those that are pending.
        """
        places: list[tuple[bytes, Sequence[bytes]]] = []
        for start in range(0, len(ids), _IDS_BATCH):
            part = ids[start : start + _IDS_BATCH]
            found = self._get_many(self._keys.transactions, part)
            named = zip(part, found, strict=True)
            places += [(name, raw.split(b":", 2)[::2]) for name, raw in named if raw is not None]
        indexes = sorted({int(place[0]) for _, place in places if len(place) > 1})
        records = self._get_many(self._keys.records, indexes)
        roots = {
            index: name_root(Record.unpack(record).header)
            for index, record in zip(indexes, records, strict=True)
            if record is not None
        }
        blocks, pending = set(), []
        for name, place in places:
            if len(place) > 1 and roots.get(int(place[0])) == place[1]:
                blocks.add(int(place[0]))
            else:
                pending.append(name)
        return blocks, pending

    def locate_job(self, job: str) -> MinedBy | Pending | None:
        """What became of the mine request ``job``; None where nobody knows it."""
        raw = self._get(self._keys.jobs, job)
        if raw is None:
            return None
        if raw == b"":
            return Pending()
        index, digest = raw.decode().split(":")
        return MinedBy(int(index), digest)

    def read_header(self, index: int) -> Header | None:
        """The header at ``index``, or None past the tip."""
        record = next(self.iterate_records(index, index), None)
        return None if record is None else record.header

    def _get(self, key: str, field: bytes | str) -> bytes | None:
        found: Any = self._redis.run(lambda client: client.hget(key, field))
        return found if isinstance(found, bytes) else None

    def _get_many(self, key: str, fields: Sequence[bytes | int]) -> list[bytes | None]:
        if not fields:
            return []  # the server takes no command without
        found: Any = self._redis.run(lambda client: client.hmget(key, list(fields)))
        return list(found)
