"""The options of ``minequeue burst``, from what was typed to what is sent."""

import os
import secrets
from typing import Any

from minequeue.compose.burst.files import read_transactions
from minequeue.compose.burst.plan import BadPlan, Plan
from minequeue.compose.burst.target import check_target
from minequeue.compose.config.settings import Settings

_SEED_BITS = 48  # two bursts on one chain do not meet by chance


def read_options(typed: dict[str, Any]) -> dict[str, Any]:
    """What :func:`compose.burst.command.run_burst` takes, of the options by their names.

    Raises:
        BadTarget: the load may not go there.
        BadPlan: a number is out of its bounds, or a file cannot be used.
    """
    url = check_target(typed["url"], is_owned=typed["is_owned"])
    transactions = read_transactions(typed["file"]) if typed["file"] else None
    # a file is sent as it is; what else would go along has no place in it
    kinds = ("submit", "mine", "read")
    submit, mine, read = (1, 0, 0) if transactions else share(*(typed[kind] for kind in kinds))
    seed = typed["seed"]
    plan = Plan(
        requests=len(transactions) if transactions else typed["requests"],
        concurrency=typed["concurrency"],
        submit=submit,
        mine=mine,
        read=read,
        seed=secrets.randbits(_SEED_BITS) if seed is None else seed,
        bursts=typed["bursts"],
        pause_s=typed["pause"],
        retry=typed["retry"],
    )
    return {
        "url": url,
        "plan": plan,
        "transactions": transactions,
        "token": Settings.from_environment(os.environ).token,
        "receipts": typed["receipts"],
        "wait_s": typed["wait"],
        "as_json": typed["as_json"],
    }


def share(*weights: float) -> tuple[float, ...]:
    """The part of the whole that each weight is.

    Raises:
        BadPlan: one is negative, or all are zero.
    """
    if min(weights) < 0 or sum(weights) <= 0:
        raise BadPlan("--submit, --mine and --read are weights: none below 0, and not all 0.")
    return tuple(weight / sum(weights) for weight in weights)
