"""Scale-in protection on Amazon ECS: a worker that mines asks not to be chosen to end.

It asks the agent of its own container, whose address ECS gives. Nothing depends on the answer: a
worker that is ended nevertheless costs its claim of nonces, and an agent that fails or hangs keeps
nobody from mining.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

import http.client
import json
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from minequeue.chain.background import Background
from minequeue.chain.errors import MalformedJson
from minequeue.chain.protocol import strict_json

STATE_PATH = "/task-protection/v1/state"
EXPIRES_MIN = 5  # minutes; a worker that died protected is protected no longer than this
_RENEW_S = 120.0  # seconds from one request to the next while it mines
_IDLE_S = 15.0  # seconds without a run after which it counts as idle: between two runs is a gap
_RETRY_DELAY_S = 10.0  # seconds until a request that failed is made again
_TIMEOUT_S = 2.0
_MAX_BYTES = 16 * 1024  # of an answer; it has a few hundred
_log = logging.getLogger(__name__)


class AgentFailed(Exception):
    """The ECS agent did not do what it was asked; the message says what it answered."""


class Protection:
    """Keeps the protection as the work is; asks from a thread of its own.

    Args:
        ask: asks the agent to protect the task, or not to; raises AgentFailed.
        clock: seconds that only grow.
    """

    def __init__(
        self, ask: Callable[[bool], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._background = Background("protection", self.keep)
        self._is_mining = False
        self._is_protected = False
        self._mined_at = 0.0
        self._renew_at = 0.0
        self._again_at = 0.0  # nothing is asked before

    def tell(self, *, is_mining: bool) -> None:
        """Say, about each second, whether the worker mines; returns at once and never fails."""
        self._is_mining = is_mining
        self._background.request()

    def keep(self) -> None:
        """Ask what has to be asked now."""
        now = self._clock()
        if self._is_mining:
            self._mined_at = now
        wanted = self._is_mining or (self._is_protected and now - self._mined_at < _IDLE_S)
        is_due = wanted != self._is_protected or (self._is_mining and now >= self._renew_at)
        if not is_due or now < self._again_at:
            return
        try:
            self._ask(wanted)
        except AgentFailed as error:
            self._again_at = now + _RETRY_DELAY_S
            _log.warning("scale-in protection is not as it should be: %s", error)
            return
        self._is_protected = wanted
        self._renew_at = now + _RENEW_S


class Agent:
    """The ECS agent's endpoint.

    Args:
        url: what ECS puts in ECS_AGENT_URI.
    """

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._path = urlsplit(url).path.rstrip("/") + STATE_PATH

    def protect(self, wanted: bool) -> None:
        """Ask for protection, or give it up.

        Raises:
            AgentFailed: it did not answer in time, or refused.
        """
        request: dict[str, Any] = {"ProtectionEnabled": wanted}
        if wanted:
            request["ExpiresInMinutes"] = EXPIRES_MIN
        answer = b""
        try:
            answer = self._put(json.dumps(request).encode())
            said: Any = strict_json.loads(answer)
            found = said["protection"]["ProtectionEnabled"]
        except (OSError, http.client.HTTPException) as error:
            raise AgentFailed(f"the ECS agent does not answer: {error!r}") from error
        except (MalformedJson, KeyError, TypeError) as error:  # it says something else
            raise AgentFailed(f"the ECS agent refused: {answer[:500]!r}") from error
        if found is not wanted:
            raise AgentFailed(f"the ECS agent says that protection is {found}")

    def _put(self, body: bytes) -> bytes:
        connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("PUT", self._path, body, headers)
            return connection.getresponse().read(_MAX_BYTES)
        finally:
            connection.close()
