"""What Redis says, and what it means for a call: away, refused, full, or a fault."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import kombu
import kombu.exceptions
import pytest
import redis

from minequeue.chain.errors import LedgerUnavailable, QueueFull
from minequeue.chain.ledger import RedisClient
from minequeue.chain.ledger.pool import CheckedPool
from minequeue.chain.ledger.redis_connection import bounded
from minequeue.chain.ledger.redis_url import read, write_socket
from minequeue.compose.wiring.workers import make_celery
from tests.workers import make_settings

WAIT_S = 0.3
AWAY = [
    "ASK 3999 127.0.0.1:6381",
    "BUSY Redis is busy running a script.",
    "CLUSTERDOWN The cluster is down",
    "CLUSTERDOWN Hash slot not served",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "MOVED 3999 127.0.0.1:6381",
    "NOREPLICAS Not enough good replicas to write.",
    "READONLY You can't write against a read only replica.",
    "READONLY You can't write against a read only replica. script: 5f1, on @user_script:1.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "ERR max number of clients reached",
]
REFUSED = [
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM User u has no permissions to run the 'evalsha' command",
]
FULL = ["OOM command not allowed when used memory > 'maxmemory'."]
FAULTS = [
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "ERR unknown command 'MOVED', with args beginning with: ",
    "BUSYKEY Target key name already exists.",
    "CROSSSLOT Keys in request don't hash to the same slot",
]


class Stub:
    """Answers each command but those of the handshake with the line that it holds.

    Attributes:
        answer: without its end.
        connections: how many were opened.
        asked: told of each command, if set.
    """

    def __init__(self) -> None:
        self.answer = "+PONG"
        self.connections = 0
        self.asked: Callable[[], None] | None = None


@contextmanager
def run_stub(path: Path) -> Iterator[Stub]:
    stub = Stub()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            stub.connections += 1
            while call := self.request.recv(65536):
                if b"SETINFO" in call:
                    self.request.sendall(b"+OK\r\n")
                    continue
                if stub.asked:
                    stub.asked()
                self.request.sendall(f"{stub.answer}\r\n".encode())

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield stub
        server.shutdown()


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    with run_stub(tmp_path / "s") as running:
        yield running


@pytest.fixture
def redis_client(stub: Stub, tmp_path: Path) -> Iterator[RedisClient]:  # noqa: ARG001  # it answers
    # protocol 2: nothing is asked before the first command
    url = f"{write_socket(tmp_path / 's')}?protocol=2"
    pool = CheckedPool(**read(url), **bounded(connect_s=WAIT_S / 2, answer_s=WAIT_S / 2))
    made = RedisClient(redis.Redis.from_pool(pool), wait_s=WAIT_S)
    yield made
    made.client.close()


def ping(redis_client: RedisClient) -> object:
    return redis_client.run(lambda client: client.ping())


@pytest.mark.parametrize("said", AWAY)
def test_away_is_tried_again_on_another_connection_until_it_is_over(
    said: str, stub: Stub, redis_client: RedisClient
) -> None:
    stub.answer = f"-{said}"

    def recover() -> None:
        if stub.connections > 1:
            stub.answer = "+PONG"

    stub.asked = recover
    assert ping(redis_client) is True
    assert stub.connections > 1


@pytest.mark.parametrize("said", AWAY)
def test_away_for_longer_than_the_bound_is_unavailable(
    said: str, stub: Stub, redis_client: RedisClient
) -> None:
    stub.answer = f"-{said}"
    with pytest.raises(LedgerUnavailable, match="is not responding"):
        ping(redis_client)
    assert stub.connections > 1


def test_idle_connections_to_a_node_that_moved_are_dropped_with_the_first(
    stub: Stub, redis_client: RedisClient
) -> None:
    pool = redis_client.client.connection_pool
    idle = [pool.get_connection() for _ in range(8)]
    for each in idle:
        pool.release(each)
    stub.answer = "-MOVED 3999 127.0.0.1:6381"
    stub.asked = lambda: setattr(stub, "answer", "+PONG" if stub.connections > 8 else stub.answer)
    assert ping(redis_client) is True
    assert stub.connections == 9


@pytest.mark.parametrize("said", REFUSED)
def test_a_refusal_is_named_in_the_log_and_tells_clients_no_detail(
    said: str, stub: Stub, redis_client: RedisClient, caplog: pytest.LogCaptureFixture
) -> None:
    ping(redis_client)
    stub.answer = f"-{said}"
    with pytest.raises(LedgerUnavailable, match="cannot log in to its database") as refusal:
        ping(redis_client)
    told = said.partition(" ")[2].rstrip(".")
    assert told not in str(refusal.value)
    with pytest.raises(LedgerUnavailable):
        ping(redis_client)
    # threads of other tests' services may log beside it
    assert [message for message in caplog.messages if told in message] == [
        f"Redis cannot be used: Redis refuses to serve this user ({told})"
    ]


@pytest.mark.parametrize("said", FULL)
def test_memory_that_is_used_up_is_a_full_queue_at_once(
    said: str, stub: Stub, redis_client: RedisClient
) -> None:
    stub.answer = f"-{said}"
    with pytest.raises(QueueFull):
        ping(redis_client)
    assert stub.connections == 1


@pytest.mark.parametrize("said", FAULTS)
def test_a_fault_of_the_command_stays_a_fault(
    said: str, stub: Stub, redis_client: RedisClient
) -> None:
    stub.answer = f"-{said}"
    with pytest.raises(redis.ResponseError):
        ping(redis_client)
    assert stub.connections == 1


@pytest.mark.parametrize("said", AWAY)
def test_celery_takes_away_for_a_lost_connection(said: str, stub: Stub, tmp_path: Path) -> None:
    app = make_celery(make_settings(f"{write_socket(tmp_path / 's')}?protocol=2"))
    redis_client = app.connection_for_read()
    queue = kombu.Queue("q", exchange=kombu.Exchange(""))
    consumer = kombu.Consumer(redis_client, [queue], auto_declare=False)
    consumer.consume()
    stub.answer = f"-{said}"
    with pytest.raises(redis_client.connection_errors):
        queue.bind(redis_client.default_channel).queue_declare(passive=True)
    with pytest.raises(redis_client.connection_errors):  # as a worker that waits for a message
        redis_client.drain_events(timeout=2)
    with pytest.raises(kombu.exceptions.OperationalError):
        app.send_wake_up()
