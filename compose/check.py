"""``minequeue check``: a whole chain from where it lies, through the independent auditor."""

import json
import time
from dataclasses import asdict

import click

from chain.audit import Auditor, InvalidChain, Summary
from compose.chain_source import read_blocks


def run_check(source: str, *, minimum_bits: int, network: str | None, as_json: bool) -> int:
    """Check the chain at ``source`` and print what was found; 0 if it is valid, else 1.

    Raises:
        CannotRead: there is no chain to be read.
    """
    began = time.perf_counter()
    auditor = Auditor(now_ms=int(time.time() * 1000), minimum_bits=minimum_bits, network=network)
    try:
        for block in read_blocks(source, network):
            auditor.add(block)
    except InvalidChain as error:
        found = {"valid": False, "index": error.index, "reason": error.reason}
        click.echo(json.dumps(found) if as_json else str(error))
        return 1
    summary = auditor.summarise()
    if as_json:
        click.echo(json.dumps({"valid": True, **asdict(summary)}))
    else:
        click.echo(_describe(summary, time.perf_counter() - began))
    return 0


def _describe(summary: Summary, took_s: float) -> str:
    return (
        f"valid: {summary.blocks} blocks, {summary.transactions} transactions, each once\n"
        f"cumulative work {summary.cumulative_work}, tip {summary.tip}\n"
        f"checked in {took_s:.1f} s"
    )
