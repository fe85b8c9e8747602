"""A server that is away for longer than any time limit of a worker's: nobody ends over it."""

import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ledgers import request_mine
from tests.server import start_server, url_of
from tests.waiting import wait_for
from tests.workers import StartWorker, is_drained, open_ledger

AWAY_S = 12


@pytest.mark.timeout(180)
@pytest.mark.parametrize("wait", ["2", "20"])
def test_nobody_ends_over_a_server_that_is_away(
    wait: str, start_worker: StartWorker, tmp_path: Path
) -> None:
    settings = {"redis_wait": wait, "resolve_period": "0.5"}
    directory = tmp_path / "server"
    url = url_of(directory)
    with ExitStack() as started:

        def start() -> "subprocess.Popen[bytes]":
            process = start_server(directory)
            started.callback(process.wait)
            started.callback(process.kill)
            return process

        server = start()
        ledger = started.enter_context(open_ledger(url, **settings))
        parts = [start_worker(url, part=part, **settings) for part in ("worker", "resolver")]
        request_mine(ledger)
        wait_for(lambda: is_drained(ledger), "a block", 30)
        for _ in range(2):
            server.kill()
            server.wait()
            time.sleep(AWAY_S)  # the outage itself
            server = start()
            request_mine(ledger)
            wait_for(lambda: is_drained(ledger), "a block after the outage", 15)
        # a limit that began to run with the outage would end them now
        with pytest.raises(subprocess.TimeoutExpired):
            parts[0].wait(10)
        assert [part.poll() for part in parts] == [None, None]
    assert "this worker ends" not in (tmp_path / "worker.log").read_text()
