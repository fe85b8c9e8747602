"""What ``minequeue chaos`` was asked for."""

from pathlib import Path

from tests.chaos.lost_replies import run_lost_replies
from tests.chaos.restarts import run_restarts
from tests.chaos.run import run_chaos
from tests.chaos.splits import run_splits


def run(
    *,
    rounds: int,
    seed: int,
    at_least: int,
    strict: bool,
    resume_restarts: int | None,
    lost_replies: int | None,
    splits: int | None,
    data_dir: Path | None,
    report: Path | None,
    as_json: bool,
) -> int:
    """Do it; the exit code."""
    if resume_restarts is not None:
        return run_restarts(resume_restarts, seed, data_dir=data_dir, as_json=as_json)
    if lost_replies is not None:
        return run_lost_replies(lost_replies, data_dir=data_dir, as_json=as_json)
    if splits is not None:
        return run_splits(splits, seed, data_dir=data_dir, as_json=as_json)
    return run_chaos(
        rounds,
        seed,
        data_dir=data_dir,
        at_least=at_least,
        strict=strict,
        report=report,
        as_json=as_json,
    )
