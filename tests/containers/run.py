"""The compose file as containers: a burst, one to three workers and back, and kills meanwhile.

Exit code 0 where all went well; also where no container can run, which is said as SKIPPED. It
builds the images, so it takes minutes. Prometheus and Grafana are left out: their images come from
registries alone.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tests.containers.engine import Engine, say_what_is_missing
from tests.containers.images import make_base, make_minequeue, make_valkey
from tests.containers.timeline import say, timed

# what runs in them ends with them, whatever happens: processes, mounts, networks, rules of the
# firewall, names of services; and nothing that others left in /run is seen
_IN_NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
_PREPARE = 'mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"'


def main() -> int:
    """Do it; the exit code."""
    missing = say_what_is_missing()
    if missing:
        click.echo(f"SKIPPED: no container was run, {missing}")
        return 0
    with tempfile.TemporaryDirectory(prefix="minequeue-containers-") as scratch:
        engine = Engine(Path(scratch))
        try:
            _make_images(engine, Path(scratch))
            stack = (sys.executable, "-m", "tests.containers.stack", scratch)
            inside = (*_IN_NAMESPACES, "sh", "-c", _PREPARE, "sh", *stack)
            code = subprocess.run(inside, check=False).returncode
        finally:
            engine.close()
    say("containers, images, networks and volumes are removed")
    return code


def _make_images(engine: Engine, directory: Path) -> None:
    with timed("base: Debian with its Python, by debootstrap"):
        make_base(engine, directory)
    with timed("minequeue: compose/Dockerfile on it"):
        make_minequeue(engine)
    with timed("valkey: Debian's, on it"):
        make_valkey(engine)


if __name__ == "__main__":
    sys.exit(main())
