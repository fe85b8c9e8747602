"""Faults of the fleet of workers: none is left, or one has a clock of its own."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from random import Random

import psutil

from minequeue.workers.runtime.watchdog import is_fresh
from tests.chaos.faults.fault import NotCovered
from tests.chaos.field import TIMEOUT_S, Field, Kind
from tests.clock import find_faketime
from tests.waiting import wait_for

_HOUR_MS = 3_600_000


class ScaleToZero:
    """The pool shrinks to nothing in a pause, and comes back under load."""

    name = "scale to zero"
    kind: Kind = "own"

    def strike(self, field: Field, drawn: Random) -> None:  # noqa: ARG002  # nothing to be drawn
        field.load.pause()
        wait_for(lambda: field.worker_main() and not field.miners(), "an empty pool", TIMEOUT_S)
        field.load.resume()
        since = time.monotonic()
        field.figures.moved.append(field.measure_next_block(since))

    def heal(self, field: Field) -> None:
        field.load.resume()


class WrongClock:
    """A worker whose clock is an hour off does all the mining for a while."""

    name = "wrong clock"
    kind: Kind = "named"

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[psutil.Process] = []

    def strike(self, field: Field, drawn: Random) -> None:
        environment = _shift(drawn.choice(("+1h", "-1h")))
        _check_shift(environment)
        name = f"shifted-{drawn.getrandbits(32)}"
        liveness_dir = field.directory / "shifted" / "alive"
        environment |= {f"MINEQUEUE_{k.upper()}": v for k, v in field.settings.items()}
        environment |= {"MINEQUEUE_DATA_DIR": str(field.directory / "shifted")}
        with (field.directory / "shifted.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "minequeue", "worker", "--name", name],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(lambda: is_fresh(liveness_dir, None), "the worker's liveness file", TIMEOUT_S)
        main = field.worker_main()
        self._frozen = [*field.miners(), *([main] if main else [])]
        for process in self._frozen:
            process.suspend()
        field.measure_next_block(time.monotonic())
        header = field.ledger.blocks.tip().header
        assert abs(header.timestamp - time.time() * 1000) < _HOUR_MS / 2, "the clock decided"

    def heal(self, field: Field) -> None:  # noqa: ARG002  # a Fault's signature
        for process in self._frozen:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        self._frozen = []
        if self._process:
            self._process.terminate()
            assert self._process.wait(TIMEOUT_S) == 0
            self._process = None


def _shift(by: str) -> dict[str, str]:
    library = find_faketime()
    if library is None:
        raise NotCovered("there is no libfaketime (Debian: faketime)")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")}
    return {
        **kept,
        "LD_PRELOAD": str(library),
        "FAKETIME": by,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _check_shift(environment: dict[str, str]) -> None:
    """See that the library works here, before anything is believed of it."""
    command = [sys.executable, "-c", "import time; print(time.time())"]
    said = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    assert abs(float(said) - time.time()) > _HOUR_MS / 1000 / 2, "the clock was not shifted"
