"""What the log is told of a block that a miner connected, and of the requests that it completes."""

import logging
from collections.abc import Callable

import msgspec

from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger import Ledger, Trail
from minequeue.chain.protocol.header import Header
from minequeue.chain.scaling.backlog import OpenCandidate

_log = logging.getLogger(__name__)


class _Named(msgspec.Struct):
    """What is read of a transaction."""

    id: str


_decoder = msgspec.json.Decoder(list[_Named])


class Report:
    """Tells of connected blocks.

    Args:
        ledger: where the blocks are.
        trace: is told of each followed request that a block completes.
    """

    def __init__(self, ledger: Ledger, trace: Callable[[Trail, Header], None]) -> None:
        self._ledger = ledger
        self._trace = trace

    def tell(self, header: Header, candidate: OpenCandidate, tracked: int) -> None:
        """Tell of the block of ``header``, which was ``candidate``, while so many are tracked."""
        block = {"index": header.index, "hash": header.hash.hex()}
        fields = {**block, "transactions": candidate.count}
        if candidate.job:
            fields["job"] = candidate.job
        _log.info("connected", extra={"fields": fields})
        if not tracked:
            return
        try:
            trails = self._end_following(header, candidate)
        except MinequeueError as error:
            # the block is in the chain whether or not somebody hears of it
            _log.warning("tracked requests of block %d are not told: %s", header.index, error)
            return
        for trail in trails:
            told = {"request_id": trail.request_id, "entries": trail.entries, **block}
            _log.info("mined", extra={"fields": told})
            self._trace(trail, header)

    def _end_following(self, header: Header, candidate: OpenCandidate) -> list[Trail]:
        block = self._ledger.blocks.read_block(header.index)
        if block is None or block.header != header:
            return []  # a heavier branch took its place; they are mined again
        names = [bytes.fromhex(each.id) for each in _decoder.decode(block.body)]
        if candidate.job:
            names.append(candidate.job.encode())
        return self._ledger.tracked_requests.end(names)
