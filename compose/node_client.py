"""A node as the command line calls it: JSON in, JSON out, and every refusal in one sentence."""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any

from chain.errors import MinequeueError
from compose.direct import open_url

_PATIENCE_S = 90.0  # for one answer, which may be held back for a minute
_AGAIN = frozenset({429, 503})  # the node says when to come again
_LONGEST_PAUSE_S = 30.0
_MOST_PROBLEM = 64 * 1024


class NodeRefused(MinequeueError):
    """The node refused; the message is its own.

    Attributes:
        status: the HTTP status.
        problem: the members of the node's answer.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"The node answers {status}."))
        self.status = status
        self.problem = problem


class NodeAway(MinequeueError):
    """The node does not answer; start it, or correct the URL."""


class NodeClient:
    """Calls one node.

    Args:
        url: the node's, without a path.
        token: that it is shown, or "".
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Call it once.

        Args:
            method: of the request.
            path: of the resource.
            body: of the request.
            headers: with an underscore for each dash.

        Returns:
            The status and the JSON of its answer.

        Raises:
            NodeRefused: it answers 4xx or 5xx.
            NodeAway: it does not answer.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            asked = urllib.request.Request(  # noqa: S310  # an http URL of the user's own
                self._url + path, body, {**self._headers, **named}, method=method
            )
            with open_url(asked, timeout=_PATIENCE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise NodeRefused(error.code, _read_problem(error)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise NodeAway(f"{self._url} does not answer as a node does ({reason}).") from None

    def insist(self, method: str, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
        """Call it until it has room, or is back; the request has to be repeatable.

        Raises:
            NodeRefused: it answers another error than that it has no room.
            NodeAway: it does not answer at all.
        """
        while True:
            try:
                return self.call(method, path, body, **headers)
            except NodeRefused as error:
                if error.status not in _AGAIN:
                    raise
                time.sleep(min(error.problem.get("retry_after_s", 1.0), _LONGEST_PAUSE_S))


def _read_problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        found = json.loads(error.read(_MOST_PROBLEM))
    except (ValueError, OSError, http.client.HTTPException):
        found = {}
    problem: dict[str, Any] = found if isinstance(found, dict) else {}
    pause = error.headers.get("Retry-After", "")
    problem["retry_after_s"] = float(pause) if pause.isdigit() else 1.0
    return problem
