"""What a burst sends: how much, of what, in which order. The same seed gives the same requests."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from minequeue.chain.errors import InvalidTransaction, MinequeueError
from minequeue.chain.protocol import canonical
from minequeue.chain.protocol.transaction import accept_submission
from minequeue.compose.burst.record import Kind

_PAYERS = 100  # senders among whom the made transactions are shared
_SUM_SLACK = 1e-9  # what decimal shares may miss of 1 as floats


class BadPlan(MinequeueError):
    """The burst cannot be sent like this; correct what the message names."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a burst is sent.

    Attributes:
        requests: how many in all, shared evenly among the bursts.
        concurrency: how many are under way at once, at most.
        submit: share of POST /chain/new; the three shares are from 0 to 1, their sum is 1.
        mine: share of GET /chain/mine.
        read: share of GET /chain, one page.
        bursts: how many bursts.
        pause_s: seconds between two bursts.
        seed: decides the order and names each request. A second burst with the same seed on the
            same chain repeats the first, and adds nothing.
        retry: repeat after 429, a 5xx or no answer with the same Idempotency-Key until accepted.
    """

    requests: int
    concurrency: int
    submit: float
    mine: float
    read: float
    seed: int
    bursts: int = 1
    pause_s: float = 0
    retry: bool = False

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            BadPlan: a number is out of them.
        """
        if min(self.requests, self.concurrency, self.bursts) < 1 or self.pause_s < 0:
            raise BadPlan("A burst needs at least one request, one connection and one burst.")
        shares = (self.submit, self.mine, self.read)
        if min(shares) < 0 or abs(sum(shares) - 1) > _SUM_SLACK:
            raise BadPlan("The shares of submissions, mine requests and reads must add up to 1.")

    def split(self) -> list[int]:
        """The number of requests of each burst."""
        each, rest = divmod(self.requests, self.bursts)
        return [each + (number < rest) for number in range(self.bursts)]


@dataclass(frozen=True, slots=True)
class Action:
    """One request.

    Attributes:
        kind: what it asks for.
        key: its Idempotency-Key.
        body: the transaction, for a submission; else empty.
        id: the transaction's id, for a submission; else empty.
    """

    kind: Kind
    key: str
    body: bytes = b""
    id: str = ""


def make_actions(
    plan: Plan, transactions: Iterable[Mapping[str, Any]] | None = None
) -> Iterator[Action]:
    """The requests of ``plan``, in order.

    Args:
        plan: how many, and of what.
        transactions: to be submitted in place of made ones; one without nonce gets its own.

    Raises:
        BadPlan: a transaction breaks a rule; it is named by its number, from 1.
    """
    drawn = random.Random(plan.seed)  # noqa: S311  # a load, not a secret  # nosec B311
    given = iter(transactions) if transactions is not None else None
    weights = (plan.submit, plan.mine, plan.read)
    kinds: tuple[Kind, ...] = ("submit", "mine", "read")
    for number, kind in enumerate(drawn.choices(kinds, weights)[0] for _ in range(plan.requests)):
        key = f"burst-{plan.seed:x}-{number}"
        if kind != "submit":
            yield Action(kind, key)
        elif given is None:
            yield _submission(_make_transaction(number, key), key, number)
        else:
            for fields in islice(given, 1):
                yield _submission(fields, key, number)


def _make_transaction(number: int, key: str) -> dict[str, Any]:
    """One whose recipient is its own, so that it can be told apart where nonces are dropped."""
    return {"sender": f"payer-{number % _PAYERS}", "recipient": key, "amount": number + 1}


def _submission(fields: Mapping[str, Any], key: str, number: int) -> Action:
    whole = {"nonce": key, **fields}
    try:
        transaction = accept_submission(whole, str)
    except InvalidTransaction as error:
        raise BadPlan(f"Transaction {number + 1}: {error}") from None
    return Action("submit", key, canonical.encode(whole), transaction.id)
