"""Faults of the network between a stack and its server, and replies that get lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.chaos.field import TIMEOUT_S, Field, Kind
from tests.chaos.trap import Moment, Trap
from tests.http import Answer, post, request
from tests.waiting import wait_for

SCRIPTS = ("submit", "request_mine", "open_candidate", "place_transactions", "connect_block")
REDIS_WAIT_S = 2.0  # the setting's default
_MARGIN_S = 1.0


class Cuts:
    """All connections are reset, several times."""

    name = "cut connections"
    kind: Kind = "named"

    def strike(self, field: Field, drawn: Random) -> None:
        before = field.proxy.cuts
        for _ in range(drawn.randint(1, 5)):
            field.proxy.cut()
            time.sleep(drawn.uniform(0, 0.3))  # for new ones to be made
        assert field.proxy.cuts > before

    def heal(self, field: Field) -> None:
        """Nothing is left of it."""


class Delays:
    """Each piece of each connection is late, for a while."""

    name = "delays"
    kind: Kind = "named"

    def strike(self, field: Field, drawn: Random) -> None:
        before = field.proxy.delayed
        field.proxy.delay_s = drawn.uniform(0.01, 0.2)
        time.sleep(drawn.uniform(1, 3))  # the fault itself is a time
        assert field.proxy.delayed > before

    def heal(self, field: Field) -> None:
        field.proxy.delay_s = 0


class Silence:
    """The server accepts and stays silent: each request is answered in time, and none with 202."""

    name = "silent server"
    kind: Kind = "named"

    def strike(self, field: Field, drawn: Random) -> None:
        field.proxy.fall_silent()
        asked = f"silence {drawn.random()}"
        self._probes = [f"{asked} {number}" for number in range(6)]
        with ThreadPoolExecutor(12) as threads:
            submitted = [threads.submit(_time, field, "submit", key) for key in self._probes]
            read = [threads.submit(_time, field, path, "") for path in ("/queue", "/chain/tip")]
            mined = threads.submit(_time, field, "mine", asked)
            for answer, took_s in (done.result() for done in [*submitted, *read, mined]):
                assert answer.status == 503, answer
                assert took_s <= REDIS_WAIT_S + _MARGIN_S, f"answered after {took_s:.2f} s"
        wait_for(lambda: field.proxy.silences, "a piece that was kept back")

    def heal(self, field: Field) -> None:
        field.proxy.speak()
        for key in self._probes:
            wait_for(lambda k=key: _submit_again(field, k), "a submission after the silence")  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        field.ask_for_block()


def _time(field: Field, what: str, key: str) -> tuple[Answer, float]:
    began = time.monotonic()
    url = field.stack.url
    if what == "submit":
        answer = post(url, _payment(key), Idempotency_Key=key)
    elif what == "mine":
        answer = request("POST", f"{url}/chain/mine", headers={"Idempotency-Key": key})
    else:
        answer = request("GET", url + what)
    return answer, time.monotonic() - began


def _submit_again(field: Field, key: str) -> bool:
    answer = post(field.stack.url, _payment(key), Idempotency_Key=key)
    if answer.status != 202:
        return False
    field.record.receipts[answer.json()["id"]] = field.record.now_s()
    return True


def _payment(key: str) -> dict[str, object]:
    return {"sender": "probe", "recipient": "nobody", "amount": 1, "nonce": key}


class Caught:
    """Calls of scripts are caught at one moment, the caller is cut off or killed.

    Args:
        name: of the fault.
        scripts: whose calls.
        moment: of the call.
        kill: kill the caller.
        most: how many calls.
    """

    kind: Kind = "named"

    def __init__(
        self,
        name: str,
        scripts: tuple[str, ...],
        moment: Moment,
        *,
        kill: bool = False,
        most: int = 1,
    ) -> None:
        self.name = name
        self._scripts = scripts
        self._moment = moment
        self._kill = kill
        self._most = most

    def strike(self, field: Field, drawn: Random) -> None:
        trap = Trap(
            self._scripts,
            self._moment,
            kill=self._kill,
            most=self._most,
            every=drawn.randint(1, 3) if self._kill else 2,
        )
        field.proxy.trap = trap
        assert trap.is_done.wait(TIMEOUT_S), f"only {dict(trap.caught)} of {self._most} calls"
        if self._kill:
            field.figures.moved.append(field.measure_next_block(time.monotonic()))

    def heal(self, field: Field) -> None:
        field.proxy.trap = None
        field.wait_until_web_serves()
