"""Faults of memory and disk."""

import os
import time
from contextlib import suppress
from random import Random

from tests.chaos.faults.fault import NotCovered
from tests.chaos.field import TIMEOUT_S, Field, Kind
from tests.http import post
from tests.waiting import wait_for

_PAYMENT = {"sender": "probe", "recipient": "nobody", "amount": 1}
# as a script's effects stand in the log: all or nothing, by MULTI and EXEC
_HALF_A_RECORD = (
    b"*1\r\n$5\r\nMULTI\r\n*3\r\n$5\r\nRPUSH\r\n$29\r\n{minequeue:minequeue}:pending\r\n$4\r\njunk\r\n"
    b"*1\r\n$4\r\nEXEC\r\n"
)


class FullMemory:
    """The server is at maxmemory for a while."""

    name = "full memory"
    kind: Kind = "own"

    def strike(self, field: Field, drawn: Random) -> None:
        with field.admin() as server:
            server.config_set("maxmemory-policy", "noeviction")
            server.config_set("maxmemory", 1)
        probe = f"full memory {drawn.random()}"
        answer = wait_for(lambda: self._is_refused(field, probe), "an answer 429", TIMEOUT_S)
        assert answer
        time.sleep(drawn.uniform(0.2, 2))  # the fault itself is a time

    def _is_refused(self, field: Field, key: str) -> bool:
        answer = post(field.stack.url, {**_PAYMENT, "nonce": key[:64]}, Idempotency_Key=key)
        if answer.status == 202:
            field.record.receipts[answer.json()["id"]] = field.record.now_s()
        return answer.status == 429

    def heal(self, field: Field) -> None:
        with field.admin() as server:
            server.config_set("maxmemory", 0)


class FullDisk:
    """The disk under the append-only file is full for a while: the server dies of it."""

    name = "full disk"
    kind: Kind = "own"

    def strike(self, field: Field, drawn: Random) -> None:
        disk = field.small_disk
        if disk is None:
            raise NotCovered("no file system of its own may be mounted")
        log = field.stack.data_dir / "logs" / "server.log"
        before = log.stat().st_size
        ballast = (disk / "ballast").open("wb", buffering=0)
        with ballast, suppress(OSError):
            while True:
                ballast.write(b"\0" * 65536)
        wait_for(
            lambda: b"recover from AOF write error" in log.read_bytes()[before:],
            "a write that failed",
            TIMEOUT_S,
        )
        time.sleep(drawn.uniform(0.2, 1))  # the fault itself is a time

    def heal(self, field: Field) -> None:
        if field.small_disk:
            (field.small_disk / "ballast").unlink(missing_ok=True)
            field.wait_until_web_serves()


class TornLog:
    """The server dies within a write that it never acknowledged, and finds half of it."""

    name = "torn log"
    kind: Kind = "named"

    def strike(self, field: Field, drawn: Random) -> None:
        field.server.kill()
        newest = field.server.newest_log()
        with newest.open("ab") as log:
            log.write(_HALF_A_RECORD[: drawn.randrange(1, len(_HALF_A_RECORD) - 1)])
            log.flush()
            os.fsync(log.fileno())
        before = field.server.log.stat().st_size
        field.server.start()
        said = field.server.log.read_bytes()[before:]
        assert b"runcat" in said, said
        field.figures.resumed.append(field.measure_next_block(time.monotonic()))

    def heal(self, field: Field) -> None:
        field.wait_until_web_serves()
