"""URLs of Redis on a real server, and on one that only says that it is: both clients alike."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import kombu.exceptions
import pytest
import redis
import trustme

from minequeue.chain.errors import LedgerUnavailable
from minequeue.chain.ledger import open_redis
from minequeue.compose.config.embedded import answers, socket_path
from minequeue.compose.wiring.workers import make_celery
from tests.server import run_server, url_of
from tests.workers import make_settings, open_ledger

PASSWORD = "pass-word: of/redis#1;f7c"
QUEUE = "{minequeue}:minequeue.workers"
ODD = "a b#c?d%25e;f\ng&h=i'j\"k"


def wake_ups_in(url: str, db: int) -> int:
    with redis.Redis(unix_socket_path=url.removeprefix("unix://"), db=db, password=PASSWORD) as one:
        return int(one.llen(QUEUE))


def test_both_clients_use_the_database_and_the_password_of_a_sockets_url(tmp_path: Path) -> None:
    with run_server(tmp_path) as url:
        with redis.Redis.from_url(url) as admin:
            admin.config_set("requirepass", PASSWORD)
        for db in (1, 2):
            full = f"{url}?db={db}&password={quote(PASSWORD)}"
            with open_ledger(full) as ledger:
                assert ledger.redis.client.get_connection_kwargs()["db"] == db
                assert ledger.blocks.tip().header.index == 1
            before = [wake_ups_in(url, n) for n in range(3)]
            make_celery(make_settings(full)).send_wake_up()
            before[db] += 1
            assert [wake_ups_in(url, n) for n in range(3)] == before


@pytest.mark.parametrize(
    "name", [ODD, "d" * 120, f"{'d' * 120}/{ODD}"], ids=["odd", "long", "both"]
)
def test_a_data_directory_may_have_any_name_and_length(name: str, tmp_path: Path) -> None:
    directory = tmp_path / name
    directory.mkdir(parents=True)
    with run_server(directory):
        assert socket_path(directory).is_socket()
        assert answers(socket_path(directory))
        with open_ledger(url_of(directory)) as ledger:
            assert ledger.blocks.tip().header.index == 1
        make_celery(make_settings(url_of(directory))).send_wake_up()


def test_another_shell_with_another_tmpdir_finds_the_server(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 120)
    directory.mkdir()
    with run_server(directory):
        code = (
            "import sys, pathlib\n"
            "from minequeue.compose.config.embedded import answers, socket_path\n"
            "print(answers(socket_path(pathlib.Path(sys.argv[1]))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(directory)],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "True\n"


class Impostor:
    """Takes connections by TLS with a certificate of an authority of its own, and listens.

    Attributes:
        url: with a password.
        heard: all bytes that clients sent under TLS.
        authority: the path of the authority's certificate.
    """

    def __init__(self, directory: Path) -> None:
        own = trustme.CA()
        self.authority = directory / "impostor.pem"
        own.cert_pem.write_to_path(str(self.authority))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.issue_cert("localhost").configure_cert(self._context)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = (
            f"rediss://u:{quote(PASSWORD, safe='')}@localhost:{self._socket.getsockname()[1]}/0"
        )
        self.heard = b""
        self.handshakes = 0

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                connection.settimeout(5)
                self.handshakes += 1
                with suppress(OSError), self._context.wrap_socket(connection, True) as tls:
                    while heard := tls.recv(65536):
                        self.heard += heard
                        if PASSWORD.encode() in self.heard:
                            break

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    made = Impostor(tmp_path)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join()


def ask_as_ledger(url: str) -> None:
    with pytest.raises(LedgerUnavailable) as refusal:
        open_redis(url, wait_s=0.5).run(lambda client: client.ping())
    assert isinstance(refusal.value.__cause__, redis.ConnectionError | redis.TimeoutError)


def ask_as_celery(url: str) -> None:
    with pytest.raises(kombu.exceptions.OperationalError):
        make_celery(make_settings(url)).send_wake_up()


def ask_as_worker(url: str) -> None:
    settings = make_settings(url, redis_wait="0.5")
    done = subprocess.run(
        [sys.executable, "-m", "minequeue", "resolver"],
        env={**os.environ, **settings.as_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Redis cannot be used" in done.stderr
    assert len(done.stderr.splitlines()) == 1


CLIENTS = [ask_as_ledger, ask_as_celery, ask_as_worker]


@pytest.mark.parametrize("ask", CLIENTS)
def test_an_impostor_of_an_unknown_authority_never_hears_the_password(
    ask: Callable[[str], None], impostor: Impostor, tmp_path: Path
) -> None:
    ask(impostor.url)
    known = tmp_path / "known.pem"
    trustme.CA().cert_pem.write_to_path(str(known))
    ask(f"{impostor.url}?ssl_ca_certs={known}")
    assert impostor.handshakes > 1
    assert impostor.heard == b""


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_server_of_the_authority_that_the_url_names_hears_it(
    ask: Callable[[str], None], impostor: Impostor
) -> None:
    ask(f"{impostor.url}?ssl_ca_certs={impostor.authority}")
    assert PASSWORD.encode() in impostor.heard
