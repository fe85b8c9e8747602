"""A second server on one log: what starts another one is refused, or takes over from the first."""

from pathlib import Path
from random import Random

import psutil

from minequeue.compose.config.embedded import SERVERS
from minequeue.compose.stack.alive import is_alive
from tests.chaos.field import Field, Kind
from tests.stack import free_port
from tests.waiting import wait_for


class SecondServer:
    """By another path, beside the first and after the death of its supervisor."""

    name = "second server"
    kind: Kind = "own"

    def strike(self, field: Field, drawn: Random) -> None:
        other = field.directory / f"other-path-{drawn.getrandbits(32)}"
        other.symlink_to(field.stack.data_dir, target_is_directory=True)
        check = ("check", str(other), "--bits", "1")
        commands = (("up", "--port", str(free_port()), "--data-dir", str(other)), check)
        for command in commands:
            refused = field.stack.run(*command)
            assert refused.returncode == 1, refused.stdout + refused.stderr
            assert "Traceback" not in refused.stderr, refused.stderr
            assert len(_servers_of(field)) <= 1, "two servers write one log"
        first = wait_for(lambda: _servers_of(field), "the first server")
        field.stack.kill()
        refused = field.stack.run(*check)
        assert refused.returncode in {0, 1}, refused.stdout + refused.stderr
        assert len(_servers_of(field)) <= 1, "two servers write one log"
        field.stack.start(data_dir=other)
        assert len(_servers_of(field)) == 1, "two servers write one log"
        assert not any(is_alive(server) for server in first)

    def heal(self, field: Field) -> None:
        field.wait_until_web_serves()


def _servers_of(field: Field) -> list[psutil.Process]:
    """All servers of this machine that write the field's log, whatever they call its place."""
    place = field.stack.data_dir.resolve() / "ledger"
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if not words or Path(words[0]).name not in SERVERS or not is_alive(process):
                continue
            if Path(words[words.index("--dir") + 1]).resolve() == place:
                found.append(process)
        except (psutil.Error, ValueError):
            continue  # it ended meanwhile, or is another program's
    return found
