"""Waiting for blocks: one listening thread a process wakes everybody who waits."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from minequeue.chain.background import Background
from minequeue.chain.errors import MinequeueError
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.redis_client import RedisClient

_LISTEN_S = 1.0  # how long the listener waits for news before it checks the connection
_RETRY_DELAY_S = 0.2  # between tries to listen while the server is away


class Announcements:
    """Tells when a block was connected. A hint only: whoever is woken looks at the ledger."""

    def __init__(self, redis_client: RedisClient, keys: Keys) -> None:
        self._client = redis_client.client
        self._channel = keys.connected
        self._news = threading.Condition()
        self.count = 0  # of news so far
        self.latest = 0  # the index of the block that was told last
        self._background = Background("news", self._receive, pause_s=_RETRY_DELAY_S)

    def wait_until(self, is_done: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until ``is_done``, asked after each news, or for ``timeout_s``; tell whether it is.

        News may be lost while the server is away, so it is asked every second as well.
        """
        self.listen()
        deadline = time.monotonic() + timeout_s
        while True:
            seen = self.count  # read before asking: news that come in between are not missed
            if is_done():
                return True
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            with self._news:
                if self.count == seen:
                    self._news.wait(min(left_s, _LISTEN_S))

    def listen(self) -> None:
        """Begin to count news, in a thread."""
        self._background.start()

    def _receive(self) -> None:
        client: Any = self._client  # redis leaves pubsub() untyped
        with (
            suppress(redis.ConnectionError, redis.TimeoutError, MinequeueError),
            client.pubsub(ignore_subscribe_messages=True) as news,
        ):
            news.subscribe(self._channel)
            self._pass_on(news)

    def _pass_on(self, news: Any) -> None:
        while True:
            message = news.get_message(timeout=_LISTEN_S)
            if message:
                told: bytes = message["data"]
                with self._news:
                    if told.isdigit():
                        self.latest = int(told)
                    self.count += 1
                    self._news.notify_all()
