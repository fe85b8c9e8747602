"""How wake-ups travel: kombu's Redis transport without what messages without data do not need.

kombu would note in Redis each message that was taken and not acknowledged, and deliver it again. A
wake-up need not be: the sweep replaces it. So nothing has to be written to take a message, and
workers go on where the server's memory has run out, when only they make room. And nothing is
restored when a connection is lost, which kombu tries on that very connection: it has ended workers.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.json import dumps

# of all of Celery's keys: with it they live in one slot, as a cluster demands of what it is told
# together, and workers read several queues at once. MemoryDB is a cluster however small it is
KEY_PREFIX = "{minequeue}:"
# to be given to Celery as broker_transport_options: messages are counted in memory alone
OPTIONS = {"ack_emulation": False, "global_keyprefix": KEY_PREFIX}
# the key is never there: a script that has written, be it nothing, may go on at maxmemory
_PUT = "redis.call('DEL', KEYS[2]) redis.call('LPUSH', KEYS[1], ARGV[1])"


class Channel(redis.Channel):
    """A channel whose messages are written even where the server's memory has run out."""

    do_restore = False

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
    """The transport for redis:// and rediss:// in the processes of minequeue."""

    Channel = Channel


def use() -> None:
    """Let kombu take this transport for Redis, in this process."""
    name = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update(redis=name, rediss=name)
