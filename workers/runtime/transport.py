"""How wake-ups travel: kombu's Redis transport without what messages without data do not need.

kombu would note in Redis each message that was taken and not acknowledged, and deliver it again. A
wake-up need not be: the tick replaces it. So nothing has to be written to take a message, and
workers go on where the server's memory has run out, when only they make room. And nothing is
restored when a connection is lost, which kombu tries on that very connection: it has ended workers.

Its connections are those of the ledger, see :mod:`chain.ledger.redis_connection`: the URL is read
once, by the same function, and what Redis says means the same. Celery itself is told the URL
without its password, so that it can show it nowhere.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from celery import Celery
from kombu import Connection
from kombu.transport import redis
from kombu.utils.json import dumps

from minequeue.chain.ledger.redis_connection import bounded
from minequeue.chain.ledger.redis_url import read, show

# of all of Celery's keys: with it they live in one slot, as a cluster demands of what it is told
# together, and workers read several queues at once. MemoryDB is a cluster however small it is
KEY_PREFIX = "{minequeue}:"
HEALTH_CHECK_S = 10  # a connection that is idle for so long is asked whether it lives
# to be given to Celery as broker_transport_options: messages are counted in memory alone
OPTIONS = {
    "ack_emulation": False,
    "global_keyprefix": KEY_PREFIX,
    "health_check_interval": HEALTH_CHECK_S,
}
# every socket is bounded: a server that accepts and stays silent must not hang a process
CONNECT_S = 1.0
ANSWER_S = 2.0
RETRY_S = 1.0  # between two tries to connect, however long Redis is away; Celery's own grow to 30
# the key is never there: a script that has written, be it nothing, may go on at maxmemory
_PUT = "redis.call('DEL', KEYS[2]) redis.call('LPUSH', KEYS[1], ARGV[1])"


# what connections are made of, by the URL that Celery is told
_parameters: dict[str, dict[str, Any]] = {}


def use(url: str) -> str:
    """Let this process, and those that it forks, connect to ``url``; the URL to tell Celery."""
    shown = show(url)
    _parameters[shown] = {
        **read(url),
        **bounded(connect_s=CONNECT_S, answer_s=ANSWER_S),
        "health_check_interval": HEALTH_CHECK_S,
    }
    return shown


class Channel(redis.Channel):
    """A channel whose messages are written even where the server's memory has run out."""

    do_restore = False

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Arguments of a connection: ours, of a class that tells kombu's poller of its end."""
        connection: Any = self.connection  # its types leave out what it always has
        parameters = _parameters[connection.client.hostname]
        self.connection_class = parameters["connection_class"]
        kombus = super()._connparams(asynchronous)  # type: ignore[misc]  # left out of its types
        return {**parameters, "connection_class": kombus["connection_class"]}

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        key = KEY_PREFIX + queue  # kombu does it for the commands that it uses itself
        with self.conn_or_acquire() as client:
            client.eval(_PUT, 2, key, f"{key}:none", dumps(message))

    def _size(self, queue: str) -> int:
        """Without MULTI, which Redis 7 refuses where its memory has run out."""
        with self.conn_or_acquire() as client:
            return int(client.llen(queue))

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Without a table in Redis where none is read: what is for all is published to all."""
        if self.typeof(exchange).type == "fanout":
            fanout = self._fanout_queues  # type: ignore[attr-defined]  # left out of its types
            fanout[queue] = exchange, routing_key.replace("#", "*")
        else:
            super()._queue_bind(  # type: ignore[misc]  # left out of its types
                exchange, routing_key, pattern, queue
            )

    def maybe_refresh_binding_expiry(self) -> None:
        """Nothing to do: the queues that end by themselves have no table."""


class Transport(redis.Transport):
    """The transport in the processes of minequeue."""

    Channel = Channel
    can_parse_url = True  # so that kombu hands the URL on as it is

    def as_uri(self, uri: str, *_: object) -> str:
        """The URL, which has no password."""
        return uri


NAME = f"{__name__}:{Transport.__name__}"  # for Celery's broker_transport


class BrokerConnection(Connection):
    """A connection that is tried again after the same short time, however often it failed."""

    def _ensure_connection(self, *arguments: Any, **options: Any) -> Any:
        pauses = {"interval_start": RETRY_S, "interval_step": 0, "interval_max": RETRY_S}
        return super()._ensure_connection(*arguments, **(options | pauses))


class QueueLengths:
    """How many messages wait, in the form that Flower wants; by the connection of ``app``."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    async def queues(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Name and number of each."""
        return await asyncio.to_thread(self._read, list(names))

    def _read(self, names: list[str]) -> list[dict[str, Any]]:
        with self._app.connection_for_read() as connection:
            channel: Any = connection.default_channel  # its types leave this out
            return [{"name": name, "messages": channel._size(name)} for name in names]
