"""The stack of the compose file: python -m tests.containers.stack DIRECTORY with its images."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.compose_file import OURS, SERVICES
from tests.containers.engine import Engine
from tests.containers.load import Load
from tests.containers.timeline import say, timed
from tests.http import request
from tests.waiting import wait_for

RUN = [*OURS, "valkey"]
# each exit code is one demand that is not met; *.o are kernels, made where none was installed
_SEES = """
for program in cc gcc c++ make ld as; do command -v $program && exit 11; done
command -v python3 >/dev/null && command -v minequeue >/dev/null || exit 12
touch /opt/x 2>/dev/null && exit 13
[ -z "$(find /tmp/minequeue -name '*.o')" ] || exit 14
env -u HOME minequeue --version || exit 15
id -u
sed -n 's/^CapEff:[[:space:]]*//p; s/^NoNewPrivs:[[:space:]]*//p' /proc/self/status
"""


def main(directory: Path) -> None:
    """Start it, strain it, check it, stop it."""
    engine = Engine(directory)
    try:
        _run(engine, f"http://127.0.0.1:{SERVICES['web']['ports'][0].rpartition(':')[2]}")
    finally:
        engine.remove(RUN)


def _run(engine: Engine, url: str) -> None:
    with timed(f"up: {', '.join(RUN)}; all are healthy"):
        # between them these two are on each network, alone
        for name in ("valkey", "web"):
            engine.compose("up", "--detach", name)
            engine.hold_bridges()
        engine.compose("up", "--detach", *RUN)
        for name in RUN:
            _wait_for_fleet(engine, name, 1)
    for name in OURS:
        _look_inside(engine, name)
    with Load(url):
        _scale_to_three(engine, url)
        for service in ("worker", "web", "valkey", "resolver", "worker"):
            name = engine.names(service)[0]
            with timed(f"SIGKILL {name}, and it is back"):
                engine.kill(name)
        _scale_to_one(engine, url)
    say("minequeue check")
    subprocess.run([sys.executable, "-m", "minequeue", "check", url], check=True)
    with timed("stopped: every container ended within its time"):
        _stop_all(engine)


def _look_inside(engine: Engine, service: str) -> None:
    """See that the container has no rights, no compiler, and nothing to make at its start."""
    [name] = engine.names(service)
    version, user, capabilities, restricted = engine.podman(
        "exec", name, "sh", "-c", _SEES
    ).splitlines()
    assert version.startswith("minequeue"), version
    assert (user, int(capabilities, 16), restricted) == ("10001", 0, "1")
    say(f"{name}: user {user}, no capabilities, read-only, no compiler, no kernel made here")


def _scale_to_three(engine: Engine, url: str) -> None:
    with timed("workers 1 to 3: all are healthy, and known to the queue"):
        engine.compose("up", "--detach", "--no-recreate", "--scale", "worker=3", *RUN)
        _wait_for_fleet(engine, "worker", 3)
        wait_for(lambda: _read(url)["miners"] == 3, "three miners")


def _scale_to_one(engine: Engine, url: str) -> None:
    with timed("workers 3 to 1: two are asked to stop, and do"):
        for name in engine.names("worker")[1:]:
            # podman-compose starts what is too few, and leaves what is too many to others
            engine.stop(name, _grace_s("worker"))
            engine.podman("rm", name)
        wait_for(lambda: _read(url)["miners"] == 1, "one miner")


def _stop_all(engine: Engine) -> None:
    for service in RUN:
        for name in engine.names(service):
            engine.stop(name, _grace_s(service))


def _grace_s(service: str) -> int:
    return int(SERVICES[service]["stop_grace_period"].removesuffix("s"))


def _wait_for_fleet(engine: Engine, service: str, count: int) -> None:
    names = engine.names(service)
    assert len(names) == count, names
    for name in names:
        engine.wait_until_healthy(name)


def _read(url: str) -> dict[str, Any]:
    answer = request("GET", f"{url}/queue")
    return json.loads(answer.body) if answer.status == 200 else {"miners": None}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
