"""What a client saw of its burst: every answer, every receipt, and what it does not know."""

import time
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["submit", "mine", "read"]

NO_ANSWER = 0  # the status of a connection that failed, or of an answer that did not come in time
_SUCCESS = range(200, 300)
_SERVER_ERROR = 500
_TOO_MANY = 429


@dataclass(slots=True)
class Answer:
    """One answer, or its absence.

    Attributes:
        at_s: seconds from the record's beginning until it came.
        kind: what was asked.
        status: the HTTP status, or ``NO_ANSWER``.
        took_s: seconds from the request to the answer.
    """

    at_s: float
    kind: Kind
    status: int
    took_s: float

    @property
    def is_accepted(self) -> bool:
        """Whether the request was taken."""
        return self.status in _SUCCESS

    @property
    def is_unclear(self) -> bool:
        """Whether the request may have been taken although the client was not told."""
        return self.status == NO_ANSWER or self.status >= _SERVER_ERROR

    @property
    def is_hopeless(self) -> bool:
        """Whether the request was refused, and a repetition would be."""
        return not (self.is_accepted or self.is_unclear or self.status == _TOO_MANY)


@dataclass(slots=True)
class Record:
    """Everything that a client knows of its burst.

    Attributes:
        answers: in the order in which they came; each attempt has its own.
        receipts: at which second each transaction was accepted, by its id.
        jobs: at which second each mine request was accepted, by its job's id.
        unknown: the transactions that were sent and of which no answer told, by Idempotency-Key;
            they may or may not be in the chain.
        began: Unix seconds.
    """

    answers: list[Answer] = field(default_factory=list)
    receipts: dict[str, float] = field(default_factory=dict)
    jobs: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.time)
    _started: float = field(default_factory=time.perf_counter)

    def now_s(self) -> float:
        """Seconds since the record began."""
        return time.perf_counter() - self._started
