"""Under each access list that the documents give, a restart keeps everything.

When a server starts it replays its log as the user `default`. Some versions drop every transaction
there that this user may not run.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from minequeue.chain.ledger import Ledger, open_redis
from minequeue.compose.config.embedded import SERVERS, find_server, server_command, socket_path
from tests.ledgers import make_ledger, mine_all, read_chain, request_mine, submit
from tests.manifests import ROOT, documented_secrets
from tests.server import url_of
from tests.waiting import wait_for

PASSWORD = "opensesame"
# beside the documented users: who asks the server what its users may do
ASKER = "user asker on nopass ~* &* +@all\n"
LISTS = {
    "docs/security.md": "\n".join(
        re.findall(
            r"^user \w+ (?:on|off) .*$", (ROOT / "docs/security.md").read_text(), re.MULTILINE
        )
    ).replace(">PASSWORD", f">{PASSWORD}"),
    "docs/kubernetes.md": documented_secrets(PASSWORD)["ledger"]["users.acl"],
}
# what docs/kubernetes.md once gave, and what is the same to a server: `off` begins without rights
RESTRICTED = {
    "pings": "user default on nopass -@all +ping",
    "off": "user default off",
}
BINARIES = [find_server(""), *(path for name in SERVERS if (path := shutil.which(name)))]


@contextmanager
def run_with_list(directory: Path, binary: str, users: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server whose users are these."""
    acl, socket = directory / "users.acl", socket_path(directory)
    acl.write_text(f"{users.strip()}\n{ASKER}")
    with (directory / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [*server_command(binary, directory, socket), "--aclfile", str(acl)], stdout=log
        )
    try:
        with redis.Redis(unix_socket_path=str(socket), username="asker", password="any") as asker:
            wait_for(lambda: process.poll() is not None or answers(asker), "the server")
        yield process
    finally:
        process.kill()
        process.wait()


def answers(asker: "redis.Redis") -> bool:
    with suppress(redis.ConnectionError):
        return bool(asker.ping())
    return False


@contextmanager
def open_as(directory: Path, user: str, password: str) -> Iterator[Ledger]:
    path = url_of(directory).removeprefix("unix://")
    connection = open_redis(f"unix://{user}:{password}@{path}", wait_s=5)
    try:
        yield make_ledger(connection)
    finally:
        connection.client.close()


def fill(ledger: Ledger) -> None:
    """Everything that a ledger keeps: blocks, what waits, keys, peers, counters, leases."""
    submit(ledger, 12)
    mine_all(ledger)
    ledger.peers.register(["http://127.0.0.1:3999"])
    ledger.peers.request_resolve()
    ledger.metrics.count_refusals({"queue-full": 3})
    ledger.fleet.send_heartbeat("worker@here", 1, "hashlib")
    submit(ledger, 3)
    request_mine(ledger)


def look(ledger: Ledger) -> object:
    """What must be the same after a restart."""
    reading = ledger.queue.read()
    return (
        read_chain(ledger),
        reading.pending,
        reading.mine_requests,
        ledger.peers.list_all(),
        ledger.metrics.count(),
        ledger.metrics.read().refusals,
    )


def list_commands(directory: Path) -> Iterator[list[bytes]]:
    """Every command that stands in the log, as the server replays it."""
    for log in (directory / "ledger" / "appendonlydir").glob("*.incr.aof"):
        raw = log.read_bytes()
        at = 0
        while at < len(raw):
            end = raw.index(b"\r\n", at)
            words, at = int(raw[at + 1 : end]), end + 2
            command = []
            for _ in range(words):
                end = raw.index(b"\r\n", at)
                size, at = int(raw[at + 1 : end]), end + 2
                command.append(raw[at : at + size])
                at += size + 2
            yield command


@pytest.mark.parametrize("users", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("binary", BINARIES, ids=lambda path: Path(path).name)
def test_a_restart_keeps_all_of_a_ledger(tmp_path: Path, binary: str, users: str) -> None:
    with run_with_list(tmp_path, binary, users), open_as(tmp_path, "minequeue", PASSWORD) as ledger:
        assert not ledger.redis.pool.warnings
        fill(ledger)
        before = look(ledger)
    with run_with_list(tmp_path, binary, users), open_as(tmp_path, "minequeue", PASSWORD) as ledger:
        assert look(ledger) == before
        mine_all(ledger)


@pytest.mark.parametrize("users", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("binary", BINARIES, ids=lambda path: Path(path).name)
def test_the_user_that_replays_the_log_may_run_every_command_in_it(
    tmp_path: Path, binary: str, users: str
) -> None:
    with run_with_list(tmp_path, binary, users):
        with open_as(tmp_path, "minequeue", PASSWORD) as ledger:
            fill(ledger)
        commands = {bytes(command[0]): command for command in list_commands(tmp_path)}
        assert {b"MULTI", b"EXEC"} < set(commands)
        with (
            redis.Redis.from_url(url_of(tmp_path)) as nobody,
            pytest.raises(redis.AuthenticationError),
        ):
            nobody.ping()
        path = url_of(tmp_path).removeprefix("unix://")
        with redis.Redis.from_url(f"unix://asker:x@{path}") as made:
            asker: Any = made
            for command in commands.values():
                assert asker.execute_command("ACL", "DRYRUN", "default", *command) == b"OK"


@pytest.mark.parametrize("default", RESTRICTED.values(), ids=RESTRICTED)
@pytest.mark.parametrize("binary", BINARIES, ids=lambda path: Path(path).name)
def test_a_restricted_default_user_costs_the_whole_chain_or_nothing(
    tmp_path: Path, binary: str, default: str
) -> None:
    users = f"{default}\nuser minequeue on >{PASSWORD} ~* &* +@all"
    with run_with_list(tmp_path, binary, users), open_as(tmp_path, "minequeue", PASSWORD) as ledger:
        fill(ledger)
        before = ledger.blocks.tip().header.index
    with run_with_list(tmp_path, binary, users) as server:
        with open_as(tmp_path, "minequeue", PASSWORD) as ledger:
            after = ledger.blocks.tip().header.index
        assert server.poll() is None
    refused = b"NOPERM" in (tmp_path / "server.log").read_bytes()
    # Redis 7.0.15 begins anew and says NOPERM; Valkey 9.1.2 keeps all
    assert (before, after, refused) in {(3, 1, True), (3, 3, False)}
