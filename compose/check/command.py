"""``minequeue check``: a whole chain from where it lies, through the independent auditor."""

import json
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict

import click

from minequeue.chain.audit import Auditor, InvalidChain, Summary
from minequeue.chain.protocol.rules import RuleRecord
from minequeue.compose.check.chain_page import Page
from minequeue.compose.check.chain_source import read_pages
from minequeue.compose.check.checkers import check_pages
from minequeue.compose.config.processors import count_processors
from minequeue.compose.text.terminal import escape


def run_check(
    source: str,
    *,
    minimum_bits: int,
    network: str,
    processes: int | None,
    as_json: bool,
) -> int:
    """Check the chain at ``source`` and print what was found; 0 if it is valid, else 1.

    Args:
        source: see :func:`compose.check.chain_source.read_pages`.
        minimum_bits: the least work of a block but the first; of a data directory, whose ledger has
            a record of that, what the record says instead.
        network: the name that the first block must have.
        processes: how many may check blocks; None for one on each processor.
        as_json: print JSON.

    Raises:
        CannotRead: there is no chain to be read.
        CheckerDied: a process that checks did.
    """
    began = time.perf_counter()
    records: list[RuleRecord] = []
    auditor = Auditor(
        now_ms=int(time.time() * 1000),
        network=network,
        find_minimum_bits=lambda index: records[0].at(index).bits if records else minimum_bits,
    )
    try:
        pages = read_pages(source, network, records.append)
        _audit(auditor, pages, processes or count_processors())
        summary = auditor.summarise()
    except InvalidChain as error:
        found = {"valid": False, "index": error.index, "reason": error.reason}
        click.echo(json.dumps(found) if as_json else escape(str(error)))
        return 1
    if as_json:
        click.echo(json.dumps({"valid": True, **asdict(summary)}))
    else:
        click.echo(_describe(summary, time.perf_counter() - began))
    return 0


def _audit(auditor: Auditor, pages: Generator[Page, None, None], processes: int) -> None:
    with closing(pages), closing(check_pages(pages, processes)) as checked:
        for good, error in checked:
            for facts in good:
                auditor.add_facts(facts)
            if isinstance(error, InvalidChain):
                raise InvalidChain(auditor.length + 1, error.reason)
            if error:
                raise error


def _describe(summary: Summary, took_s: float) -> str:
    return (
        f"valid: {summary.blocks} blocks, {summary.transactions} transactions, each once\n"
        f"cumulative work {summary.cumulative_work}, tip {summary.tip}\n"
        f"checked in {took_s:.1f} s"
    )
