"""Sends a burst: as many requests at once as the plan says, each as soon as one has ended."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import aiohttp

from minequeue.chain.errors import MalformedJson
from minequeue.chain.protocol import strict_json
from minequeue.compose.burst.plan import Action, Plan, make_actions
from minequeue.compose.burst.record import NO_ANSWER, Answer, Record

TIMEOUT_S = 30.0  # for one answer; then it counts as none
_TOO_MANY = 429
_READ = "/chain?from=1&limit=10"  # a page; a server without pages gives everything
_RETRY_DELAY_S = 0.1  # before a repetition where the server names no time
_PART_BYTES = 64 * 1024
_MAX_RECEIPT_BYTES = 64 * 1024  # kept of an answer
_MAX_RETRY_DELAY_S = 2.0  # of a repetition, whatever Retry-After says


async def send(
    url: str,
    plan: Plan,
    record: Record,
    *,
    on_answer: Callable[[Answer], object] = lambda _answer: None,
    transactions: Iterable[Mapping[str, Any]] | None = None,
    token: str = "",
) -> None:
    """Send the burst and write down what came of it; cancelled, the record still stands.

    Args:
        url: the node's, without a path.
        plan: what to send.
        record: where answers and receipts go.
        on_answer: hears each answer.
        transactions: to be submitted in place of made ones.
        token: that the node is shown, or "".

    Raises:
        BadPlan: one of ``transactions`` breaks a rule.
    """
    actions = make_actions(plan, transactions)
    if transactions is not None:
        actions = iter(list(actions))  # what is wrong is said before anything is sent
    connector = aiohttp.TCPConnector(limit=plan.concurrency)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=headers
    ) as session:
        sender = _Sender(session, url.rstrip("/"), plan, record, on_answer)
        for number, size in enumerate(plan.split()):
            if number:
                await asyncio.sleep(plan.pause_s)
            burst = islice(actions, size)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(plan.concurrency, size)):
                    group.create_task(sender.work(burst))


class _Sender:
    """One client of one node."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        plan: Plan,
        record: Record,
        on_answer: Callable[[Answer], object],
    ) -> None:
        self._session = session
        self._url = url
        self._plan = plan
        self._record = record
        self._on_answer = on_answer

    async def work(self, actions: Iterator[Action]) -> None:
        for action in actions:
            await self._carry_out(action)

    async def _carry_out(self, action: Action) -> None:
        """Ask once, or until it is accepted."""
        unclear = False
        while True:
            if action.id:
                self._record.unknown[action.key] = action.id
            answer, name, again_s = await self._ask(action)
            unclear = unclear or answer.is_unclear
            if answer.is_accepted:
                self._keep(action, answer, name)
            elif not unclear:
                self._record.unknown.pop(action.key, None)
            self._record.answers.append(answer)
            self._on_answer(answer)
            repeatable = answer.is_unclear or answer.status == _TOO_MANY
            if not (self._plan.retry and repeatable):
                return
            await asyncio.sleep(again_s)

    def _keep(self, action: Action, answer: Answer, name: str) -> None:
        self._record.unknown.pop(action.key, None)
        if action.kind == "submit":
            # the node's own word where it names one: it is what will be looked for
            self._record.receipts[name or action.id] = answer.at_s
        elif action.kind == "mine" and name:
            self._record.jobs[name] = answer.at_s

    async def _ask(self, action: Action) -> tuple[Answer, str, float]:
        """The answer, the id that it names ("" where none), and the pause before a repetition."""
        began_s = self._record.now_s()
        status, name, again_s = NO_ANSWER, "", _RETRY_DELAY_S
        try:
            async with self._request(action) as response:
                body = await _read(response.content)
                status = response.status
                again_s = _read_pause_s(response.headers.get("Retry-After"))
                if action.kind != "read":
                    name = _read_id(body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = NO_ANSWER
        now_s = self._record.now_s()
        return Answer(now_s, action.kind, status, now_s - began_s), name, again_s

    def _request(self, action: Action) -> Any:
        headers = {"Idempotency-Key": action.key}
        # a redirect would lead the load to where nobody allowed it
        if action.kind == "submit":
            headers["Content-Type"] = "application/json"
            return self._session.post(
                f"{self._url}/chain/new", data=action.body, headers=headers, allow_redirects=False
            )
        path = "/chain/mine" if action.kind == "mine" else _READ
        return self._session.get(self._url + path, headers=headers, allow_redirects=False)


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The beginning of an answer, which holds a receipt; the rest is read and not kept."""
    body = b""
    async for part in content.iter_chunked(_PART_BYTES):
        body += part[: _MAX_RECEIPT_BYTES - len(body)]
    return body


def _read_id(body: bytes) -> str:
    try:
        answer = strict_json.loads(body)
    except MalformedJson:
        return ""
    name = answer.get("id") if isinstance(answer, dict) else None
    return name if isinstance(name, str) else ""


def _read_pause_s(text: str | None) -> float:
    if text is None or not text.isdigit():
        return _RETRY_DELAY_S
    return min(float(text), _MAX_RETRY_DELAY_S)
