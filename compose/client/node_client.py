"""A node as the command line calls it: a bounded answer, and every refusal in one sentence."""

import http.client
import math
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import Any, NamedTuple

from minequeue.chain.errors import MalformedJson, MinequeueError
from minequeue.chain.protocol import strict_json
from minequeue.compose.client.direct import open_url

# of one answer: several times the largest block, and the receipts of the largest batch
MAX_ANSWER_BYTES = 64 * 2**20
_TIMEOUT_S = 90.0  # for one answer, which may be held back for a minute
_BUSY = frozenset({429, 503})  # the node says when to come again
_UNAUTHORIZED = 401
_MAX_PAUSE_S = 30.0
_AWAY_PAUSE_S = 0.25  # before a node that does not answer is asked again
_MAX_PROBLEM_BYTES = 64 * 1024
_NONE: Mapping[str, str] = {}


class NodeError(MinequeueError):
    """The node gives nothing of what was asked for; the message says why."""


class NodeRefused(NodeError):
    """The node refused; the message is its own.

    Attributes:
        status: the HTTP status.
        problem: the members of the node's answer.
        pause_s: in how many seconds it wants to be asked again.
    """

    def __init__(self, status: int, problem: dict[str, Any], pause_s: float = 1.0) -> None:
        message = str(problem.get("detail") or f"The node answers {status}.")
        if status == _UNAUTHORIZED:
            message = f"{message.rstrip('.')}; set MINEQUEUE_TOKEN to a token of this node."
        super().__init__(message)
        self.status = status
        self.problem = problem
        self.pause_s = pause_s


class NodeAway(NodeError):
    """The node does not answer; start it, or correct the URL."""


class Answer(NamedTuple):
    """A success.

    Attributes:
        status: the HTTP status.
        headers: by their names in any case.
        body: of the answer, or its first bytes.
    """

    status: int
    headers: Message
    body: bytes


class NodeClient:
    """Calls one node.

    Args:
        url: the node's, without a path.
        token: that it is shown; none without.
        patience_s: for each part of an answer.
        most: bytes that an answer may have.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience_s: float = _TIMEOUT_S,
        most: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._patience_s = patience_s
        self._most = most

    def fetch(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = _NONE,
        *,
        most: int | None = None,
    ) -> Answer:
        """Call it once.

        Args:
            method: of the request.
            path: of the resource.
            body: of the request.
            headers: of the request, beside the token's.
            most: bytes of the answer that are wanted, if fewer than it may have; of a longer one,
                the first ``most`` + 1 come.

        Raises:
            NodeRefused: it answers no success.
            NodeAway: it does not answer, or its answer breaks off.
        """
        most = self._most if most is None else most
        try:
            asked = urllib.request.Request(  # noqa: S310  # an http URL of the user's own
                self.url + path, body, {**self._headers, **headers}, method=method
            )
            with open_url(asked, timeout=self._patience_s) as answer:
                raw = answer.read(most + 1)
                if answer.length and len(raw) <= most:
                    raise http.client.IncompleteRead(raw, answer.length)
                return Answer(answer.status, answer.headers, raw)
        except urllib.error.HTTPError as error:
            with error:
                raise _read_refusal(error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._away(getattr(error, "reason", error)) from None

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = _NONE,
    ) -> tuple[int, Any]:
        """Call it once, for JSON.

        Returns:
            The status and the JSON of its answer.

        Raises:
            NodeRefused: it answers no success.
            NodeAway: it does not answer, or not as a node does.
        """
        return self.parse(self.fetch(method, path, body, headers))

    def insist(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = _NONE,
        *,
        most: int | None = None,
        wait_s: float = math.inf,
        is_missed: bool = False,
    ) -> Answer:
        """Call it until it has room; the request has to be repeatable.

        Args:
            method: as the others up to ``most``, see :meth:`fetch`.
            path: of the resource.
            body: of the request.
            headers: of the request.
            most: bytes of the answer.
            wait_s: for how long it is asked again.
            is_missed: ask again also where nobody answers.

        Raises:
            NodeRefused: it answers another error than that it has no room, or has none in time.
            NodeAway: it does not answer.
        """
        deadline = time.monotonic() + wait_s
        while True:
            try:
                return self.fetch(method, path, body, headers, most=most)
            except NodeRefused as error:
                if error.status not in _BUSY:
                    raise
                refusal: MinequeueError = error
                pause_s = min(error.pause_s, _MAX_PAUSE_S)
            except NodeAway as error:
                if not is_missed:
                    raise
                refusal, pause_s = error, _AWAY_PAUSE_S
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise refusal
            time.sleep(min(pause_s, left_s))

    def parse(self, answer: Answer) -> tuple[int, Any]:
        """The status and the JSON of its answer.

        Raises:
            NodeAway: it is none, or longer than an answer may be.
        """
        if len(answer.body) > self._most:
            raise self._away(f"its answer is longer than {self._most} bytes")
        try:
            return answer.status, strict_json.loads(answer.body)
        except MalformedJson as error:
            raise self._away(error) from None

    def _away(self, reason: object) -> NodeAway:
        return NodeAway(f"{self.url} does not answer as a node does ({reason}).")


def _read_refusal(error: urllib.error.HTTPError) -> NodeRefused:
    try:
        found = strict_json.loads(error.read(_MAX_PROBLEM_BYTES))
    except (MalformedJson, OSError, http.client.HTTPException):
        found = {}
    problem: dict[str, Any] = found if isinstance(found, dict) else {}
    if place := error.headers.get("Location"):
        problem = {"detail": f"The node leads to {place} ({error.code}); give its own URL."}
    pause = error.headers.get("Retry-After", "")
    return NodeRefused(error.code, problem, float(pause) if pause.isdecimal() else 1.0)
