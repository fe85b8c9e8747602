"""From the lines of a backup to a ledger: first the blocks, then all that waits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from minequeue.chain.errors import InvalidTransaction, MalformedJson
from minequeue.chain.ledger import Ledger, Submission, SubmitResult
from minequeue.chain.protocol import strict_json
from minequeue.chain.protocol.block import Block
from minequeue.chain.protocol.transaction import Transaction, validate_transaction
from minequeue.compose.backup.blocks import BlockTaker
from minequeue.compose.backup.errors import BackupRefused
from minequeue.compose.backup.lines import Content, JobLine, Network, TransactionLine

_BATCH = 1000  # transactions in one call


@dataclass(slots=True)
class Imported:
    """What a backup held.

    Attributes:
        blocks: those that the ledger took over.
        known: blocks that it had.
        jobs: mine requests that waited.
        transactions: that were in no block of the backup.
    """

    blocks: int = 0
    known: int = 0
    jobs: int = 0
    transactions: int = 0


def import_lines(network: Network, lines: Iterable[Content], ledger: Ledger) -> Imported:
    """Take in what follows the first line, in constant memory; what is known changes nothing.

    Raises:
        BackupRefused: it belongs to a chain that lost against the ledger's, a transaction breaks
            a rule, or the queue has no room for what waits.
        InvalidBlock: a block breaks a rule; it and what follows were not taken over.
        BranchTooLarge: see :class:`chain.ledger.Branch`.
        BadBackup: what ``lines`` raises.
    """
    found = Imported()
    for kind, group in groupby(lines, type):
        some: Iterator[Any] = group  # all of this kind
        if kind is Block:
            _take_blocks(BlockTaker(ledger, network.first), some, found)
        elif kind is JobLine:
            found.jobs = _request(some, ledger)
        else:
            found.transactions = _submit(some, ledger)
    return found


def check_network(network: Network, name: str, signatures: str) -> None:
    """See that a backup is of the network ``name``, with its rule about signatures.

    Raises:
        BackupRefused: it is not.
    """
    if network.network != name:
        raise BackupRefused(
            f"The backup is of the network {network.network!r} and this node of {name!r}; give "
            "the node the network's name in MINEQUEUE_NETWORK."
        )
    if network.signatures != signatures:
        raise BackupRefused(
            f"In the backup's network signatures are {network.signatures} and here {signatures}; "
            "set MINEQUEUE_SIGNATURES as it was there."
        )


def _take_blocks(taker: BlockTaker, blocks: Iterator[Block], found: Imported) -> None:
    for block in blocks:
        taker.add(block)
    taker.finish()
    found.blocks, found.known = taker.taken, taker.known


def _request(jobs: Iterator[JobLine], ledger: Ledger) -> int:
    count = 0
    for count, line in enumerate(jobs, 1):  # noqa: B007  # it is the result
        _check_accepted(ledger.mempool.request_mine(line.job))
    return count


def _submit(lines: Iterator[TransactionLine], ledger: Ledger) -> int:
    count = 0
    while some := [_validate(line, ledger) for line in islice(lines, _BATCH)]:
        [result] = ledger.mempool.submit([Submission(some)])
        _check_accepted(result)
        count += len(some)
    return count


def _validate(line: TransactionLine, ledger: Ledger) -> Transaction:
    raw = bytes(line.transaction)
    try:
        # as one that stands in a block and does not end it, wherever that will be
        transaction = validate_transaction(
            strict_json.loads(raw), index=0, last=False, signed=ledger.rules.signed
        )
    except (InvalidTransaction, MalformedJson) as error:
        raise BackupRefused(f"A transaction of the backup breaks a rule: {error}") from None
    if transaction.canonical != raw:
        raise BackupRefused("A transaction of the backup is not in its canonical form.")
    return transaction


def _check_accepted(result: SubmitResult) -> None:
    if result is SubmitResult.FULL:
        raise BackupRefused(
            "The queue has no room for all that waits in the backup; raise MINEQUEUE_MAX_PENDING "
            "or let the node mine, and import again: what is in stays in."
        )
