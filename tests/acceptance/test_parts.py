"""Each part on its own, as on machines of their own, with a server that is named by its URL."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import redis
import trustme

from minequeue.compose.config.embedded import SERVERS, find_server
from tests.http import post, request
from tests.server_options import kept_options
from tests.stack import free_port
from tests.waiting import wait_for

PASSWORD = "a-secret:with/special@characters"
QUOTED = "a-secret%3Awith%2Fspecial%40characters"


@pytest.fixture(params=["redis", "rediss"])
def server_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a server that wants a password, over TCP and over TLS."""
    port = free_port()
    url = f"{request.param}://:{QUOTED}@127.0.0.1:{port}/0"
    options = {"port": str(port)}
    if request.param == "rediss":
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        certificate = authority.issue_cert("127.0.0.1")
        certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
        options = {
            "port": "0",
            "tls-port": str(port),
            "tls-cert-file": str(tmp_path / "server.pem"),
            "tls-key-file": str(tmp_path / "server.pem"),
            "tls-ca-cert-file": str(tmp_path / "ca.pem"),
            "tls-auth-clients": "no",
        }
        url += f"?ssl_ca_certs={tmp_path}/ca.pem"
    options |= kept_options(tmp_path) | {"requirepass": PASSWORD, "dir": str(tmp_path)}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with subprocess.Popen(
        [_find_server(url), *words],
        stdout=subprocess.DEVNULL,
    ) as server:
        try:
            wait_for(lambda: server.poll() is not None or _answers(url), "the server")
            assert server.poll() is None
            yield url
        finally:
            server.kill()


def _find_server(url: str) -> str:
    """A server that can do what the URL asks for: the installed one is built without TLS."""
    if url.startswith("redis://"):
        return find_server("")
    found = next((path for name in SERVERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"TLS is NOT tested: none of {', '.join(SERVERS)} is on PATH")
    return found


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client, suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


def _environment(**settings: str) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")},
        **{f"MINEQUEUE_{name.upper()}": value for name, value in settings.items()},
    }


def _start(started: ExitStack, log: Path, *arguments: str, **settings: str) -> None:
    """Start one part; it is killed with all that it started when the test ends."""
    output = started.enter_context(log.open("ab"))
    process = subprocess.Popen(
        [sys.executable, "-m", "minequeue", *arguments],
        env=_environment(**settings),
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    started.callback(process.wait)
    started.callback(_kill_group, process.pid)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def test_web_worker_and_flower_run_apart_and_flower_shows_what_a_run_mined(
    server_url: str, tmp_path: Path
) -> None:
    web, flower, log = free_port(), free_port(), tmp_path / "log"
    settings = {"redis_url": server_url, "bits": "12", "block_interval": "0.2"}
    with ExitStack() as started:
        _start(started, log, "web", port=str(web), **settings)
        auth = {"flower_auth": "reader:secret"}
        _start(started, log, "flower", flower_port=str(flower), **auth, **settings)
        url, flower_url = f"http://127.0.0.1:{web}", f"http://127.0.0.1:{flower}"
        for ready in (f"{url}/health/ready", f"{flower_url}/healthcheck"):
            wait_for(lambda r=ready: request("GET", r).status == 200, ready, 30)  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        ids = [
            post(url, {"sender": "a", "recipient": "b", "amount": n}).json()["id"]
            for n in range(20)
        ]
        assert request("GET", f"{url}/queue").json()["pending_transactions"] == len(ids)
        _start(started, log, "worker", "--autoscale", "1,2", **settings)
        wait_for(lambda: request("GET", f"{url}/queue").json()["depth"] == 0, "draining", 30)
        assert {request("GET", f"{url}/transactions/{i}").json()["status"] for i in ids} == {
            "mined"
        }
        shown = wait_for(lambda: _find_mined(flower_url), "a run in Flower", 30)
        tip = request("GET", f"{url}/chain/tip").json()
        for said in (f"'hash': '{tip['hash']}'", f"'index': {tip['index']}", "'transactions': 20"):
            assert said in shown
    assert PASSWORD not in log.read_text()
    assert QUOTED not in log.read_text()


def _find_mined(flower_url: str) -> str | None:
    """The result of a run that mined, as Flower's API shows it."""
    headers = {"Authorization": "Basic cmVhZGVyOnNlY3JldA=="}
    answer = request("GET", f"{flower_url}/api/tasks?taskname=mine", headers=headers)
    assert answer.status == 200
    runs = answer.json().values()
    return next((r["result"] for r in runs if "'outcome': 'mined'" in (r["result"] or "")), None)


@pytest.mark.parametrize("part", ["web", "worker", "resolver"])
def test_a_part_that_finds_no_server_ends_with_a_sentence_that_says_why(
    part: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "minequeue", part],
        env=_environment(
            redis_url=f"redis://:{QUOTED}@127.0.0.1:{free_port()}/0",
            redis_wait="0.5",
            data_dir=str(tmp_path),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
    assert "MINEQUEUE_REDIS_URL" in done.stderr
    assert PASSWORD not in done.stderr
    assert len(done.stderr.splitlines()) == 1
