"""What must be so at the end of a round, from the client's own record and the chain alone."""

import time
from typing import Any

from minequeue.chain.audit import Auditor, InvalidChain
from minequeue.chain.errors import MinequeueError
from minequeue.compose.burst.poll import read_chain, read_jobs, wait_until_drained
from minequeue.compose.burst.verdict import Verdict, judge
from tests.chaos.field import BITS, Field

_ANSWERS = {0, 200, 202, 429, 503}  # 0: the connection failed
_DRAIN_S = 90.0


class PromiseBroken(MinequeueError):
    """Something that was promised is not so; the message says what."""


class Judge:
    """Looks at one field after each of its rounds.

    Args:
        field: which one.
    """

    def __init__(self, field: Field) -> None:
        self._field = field
        self.verdict: Verdict | None = None  # of the last look
        self._jobs_done: dict[str, int] = {}
        self._timed = 0  # receipts whose time to the block is known

    def check(self) -> dict[str, int]:
        """Wait until the queue is empty, and check the whole chain.

        Returns:
            Counts of what was accepted, mined and recovered, since the stack began.

        Raises:
            PromiseBroken: one of the promises is.
        """
        record, url = self._field.record, self._field.stack.url
        wait_until_drained(url, _DRAIN_S)
        self._field.watch.look()
        blocks = list(read_chain(url))
        _audit(blocks)
        self._jobs_done |= read_jobs(url, record.jobs.keys() - self._jobs_done.keys())
        self.verdict = verdict = judge(record, blocks, self._jobs_done)
        if not verdict.is_kept or verdict.unexpected:
            raise PromiseBroken(
                f"lost {verdict.lost}, doubled {verdict.doubled}, unexpected "
                f"{verdict.unexpected}, jobs lost {verdict.jobs_lost}: {verdict.named}"
            )
        wrong = verdict.refused.keys() - _ANSWERS
        if wrong:
            raise PromiseBroken(f"answers with the statuses {sorted(wrong)}")
        self._measure(blocks)
        return {
            "accepted": verdict.accepted,
            "mined": verdict.mined,
            "lost": verdict.lost,
            "doubled": verdict.doubled,
            "unexpected": verdict.unexpected,
            "unknown": len(record.unknown),
            "recovered": verdict.recovered,
            "jobs": verdict.jobs,
            "jobs_lost": verdict.jobs_lost,
            "blocks": len(blocks),
            **{f"answers {status}": count for status, count in verdict.refused.items()},
        }

    def _measure(self, blocks: list[dict[str, Any]]) -> None:
        places = {t["id"]: block["index"] for block in blocks for t in block["transactions"]}
        connected_s = self._field.watch.connected_s
        for name, accepted_s in list(self._field.record.receipts.items())[self._timed :]:
            took_s = connected_s[places[name]] - accepted_s
            self._field.figures.to_block.append(max(0.0, took_s))
        self._timed = len(self._field.record.receipts)


def _audit(blocks: list[dict[str, Any]]) -> None:
    auditor = Auditor(now_ms=int(time.time() * 1000), minimum_bits=BITS, network="minequeue")
    try:
        for block in blocks:
            auditor.add(block)
    except InvalidChain as error:
        raise PromiseBroken(str(error)) from None
