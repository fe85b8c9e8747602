"""``minequeue up``: which parts a stack has, and how they are started here."""

import hashlib
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil

from minequeue.compose.client.direct import open_url
from minequeue.compose.config import embedded
from minequeue.compose.config.listening import check_listening, flower_host, url_of
from minequeue.compose.config.settings import STACK_MARK, Settings, variable
from minequeue.compose.errors import StartRefused
from minequeue.compose.stack import orphans
from minequeue.compose.stack.announcer import Announcer
from minequeue.compose.stack.data_dir import hold, hold_log
from minequeue.compose.stack.part import Part
from minequeue.compose.stack.semaphores import check_semaphores
from minequeue.compose.stack.supervisor import Supervisor
from minequeue.compose.stack.zero_tail import cut, find_zero_tail
from minequeue.compose.wiring.ledger import server_url
from minequeue.compose.wiring.workers import liveness_dir, resolver_liveness_dir
from minequeue.workers.runtime.watchdog import is_fresh

_PROBE_S = 1.0  # how long a probe of a starting part may take
_GRACE_S = 10.0  # how long a leftover of an earlier start may take to stop


def run_up(settings: Settings) -> None:
    """Run the whole stack until it is told to stop.

    Raises:
        StartRefused: it cannot start.
    """
    check_listening(settings)
    check_semaphores()
    with (
        Announcer() as announce,
        hold(settings.data_dir, announce) as data_dir,
        ExitStack() as held,
    ):
        settings = replace(settings, data_dir=data_dir)
        left = orphans.end_orphans(data_dir, grace_s=_GRACE_S)
        if left:
            announce(f"ended {left} processes that an earlier start had left behind")
        _check_port(settings.host, settings.port, "port")
        _check_port(flower_host(settings), settings.flower_port, "flower_port")
        parts = _make_parts(settings, data_dir)
        if not settings.redis_url:
            log = held.enter_context(hold_log(data_dir))
            if tail := find_zero_tail(data_dir):
                announce(
                    f"the log ended in zeros, as after a loss of power: cut after {tail.end} of "
                    f"{tail.size} bytes; what was cut is kept in {cut(tail)}"
                )
            parts.insert(0, _make_server(settings, data_dir, log))
        announce(f"starting {', '.join(part.name for part in parts)}; logs are in {data_dir}/logs")
        try:
            Supervisor(data_dir, parts, announce, lambda: _greet(settings, announce)).run()
        finally:
            orphans.end_orphans(data_dir, grace_s=0)


def _greet(settings: Settings, announce: Callable[[str], None]) -> None:
    announce(
        f"minequeue is ready: {url_of(settings.host, settings.port)}/  "
        "(Ctrl-C stops it; accepted transactions stay on disk)"
    )
    if not settings.tokens:
        who = "everybody who reaches it" if settings.open_to_all else "everybody on this machine"
        announce(f"no tokens are set: {who} may submit and mine (minequeue token new --help)")


def _make_environment(settings: Settings, data_dir: Path) -> dict[str, str]:
    """The variables of each part."""
    # else a directory web/ or compose/ where the command is called would be taken for ours
    own = {STACK_MARK: str(data_dir), "PYTHONSAFEPATH": "1"}
    return {**os.environ, **settings.as_environment(), **own}


def _make_parts(settings: Settings, data_dir: Path) -> list[Part]:
    """All parts but the server."""
    environment = _make_environment(settings, data_dir)
    worker = _name_worker("workers", settings.port, data_dir)
    resolver = _name_worker("resolver", settings.port, data_dir)
    web = url_of(settings.host, settings.port)
    flower = url_of(flower_host(settings), settings.flower_port)

    def part(
        name: str,
        where: str,
        arguments: list[str],
        is_ready: Callable[[float], bool],
        stop_s: float,
    ) -> Part:
        command = [sys.executable, "-m", "minequeue", *arguments]
        return Part(name, where, command, environment, 1, is_ready, stop_s)

    return [
        part("web", web, ["web"], lambda _: _serves(f"{web}/health/ready"), 15),
        part(
            "workers",
            f"{settings.miners[0]} to {settings.miners[1]} miners",
            ["worker", "--name", worker],
            lambda began: is_fresh(liveness_dir(settings), worker, since=began),
            15,
        ),
        part(
            "resolver",
            "follows other nodes",
            ["resolver", "--name", resolver],
            lambda began: is_fresh(resolver_liveness_dir(settings), resolver, since=began),
            15,
        ),
        part(
            "flower",
            flower,
            ["flower", "--history", str(data_dir / "flower.db")],
            lambda _: _serves(f"{flower}/healthcheck"),
            5,
        ),
    ]


def _make_server(settings: Settings, data_dir: Path, log: int) -> Part:
    """The server, which holds the lock on its log, the descriptor ``log``, as long as it lives."""
    path = embedded.socket_path(data_dir)
    executable = embedded.find_server(settings.server_binary)
    return Part(
        "server",
        f"{server_url(settings)} by {executable}",
        embedded.server_command(executable, data_dir, path, settings.max_memory),
        _make_environment(settings, data_dir),
        0,
        lambda _: embedded.answers(path),
        30,
        inherits=(log,),
        # whoever has a connection goes on, and nobody gets another one
        find_loss=lambda: "" if path.is_socket() else f"its socket {path} is gone",
    )


def _name_worker(kind: str, port: int, data_dir: Path) -> str:
    """A name that no other stack has, on this host or on another one, beside the same server."""
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:8]
    return f"{kind}-{port}-{digest}@{socket.gethostname()}"


def _serves(url: str) -> bool:
    try:
        with open_url(url, timeout=_PROBE_S) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def _check_port(host: str, port: int, name: str) -> None:
    """Say who has the port, before a part fails over it.

    Raises:
        StartRefused: somebody listens on it, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartRefused(
                f"Port {port} of {host} cannot be used ({error.strerror}{_name_holder(port)}); "
                f"name another with --{name.replace('_', '-')} or {variable(name)}."
            ) from None


def _name_holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            # laddr is (address, port), and empty for a socket that is not bound
            if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:] == (port,):
                return f", by process {connection.pid}" if connection.pid else ""
    except psutil.Error:
        return ""  # other users' connections cannot be seen everywhere
    return ""
