"""A TCP proxy with the faults of a network, between a stack and the ledger's server.

It runs in a thread of its own; what is told to it from others takes effect with the next bytes.
"""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import psutil

from tests.chaos.trap import Moment, Trap, find_scripts

_CHUNK = 65536  # bytes
_RESET = struct.pack("ii", 1, 0)  # linger for no time: the peer gets RST


class Proxy:
    """Passes everything on to a port of this machine, until it is told otherwise.

    Attributes:
        port: where it listens.
        delay_s: how long it keeps each piece, in either direction.
        trap: what it does to calls of scripts.
        delayed: how many pieces it kept.
        cuts: how many connections it has reset.
        silences: how many pieces it kept back while it was silent.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.delay_s = 0.0
        self.trap: Trap | None = None
        self.delayed = self.cuts = self.silences = 0
        self.links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self.flows = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def fall_silent(self) -> None:
        """Accept what comes, and pass nothing on."""
        self._call(self.flows.clear)

    def speak(self) -> None:
        """Pass everything on again, also what was kept back."""
        self._call(self.flows.set)

    def cut(self) -> None:
        """Reset all connections."""
        self._call(self._reset_all)

    def _call(self, action: Callable[[], object]) -> None:
        done = threading.Event()

        def act() -> None:
            action()
            done.set()

        self._loop.call_soon_threadsafe(act)
        done.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        )
        self.port = server.sockets[0].getsockname()[1]
        self.flows.set()
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self.flows.set()
        self._reset_all()
        self._loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(self._loop)))
        self._loop.close()

    def _reset_all(self) -> None:
        for link in list(self.links):
            link.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            _reset(writer)
            return
        link = _Link(self, (reader, writer), theirs)
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection of a client, and its other half to the server."""

    def __init__(self, proxy: Proxy, client: _Stream, server: _Stream) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._called: dict[str, int] = {}  # the scripts whose replies have not begun
        self._cut: str | None = None  # the script before which the calls under way end

    async def run(self) -> None:
        ways = [asyncio.ensure_future(way) for way in (self._pass_calls(), self._pass_replies())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (self._client[1], self._server[1]):
                writer.close()

    def reset(self) -> None:
        self._proxy.cuts += 1
        _reset(self._client[1])
        _reset(self._server[1])

    async def _pass_calls(self) -> None:
        with suppress(OSError):
            while sent := await self._client[0].read(_CHUNK):
                await self._hold()
                called = find_scripts(sent)
                if await self._is_caught(self._find_caught(called, "before")):
                    return
                self._called = called or self._called
                later = [script for script, start in called.items() if start]
                self._cut = self._find_caught(later, "midway")
                self._server[1].write(sent[: called[self._cut]] if self._cut else sent)
                await self._server[1].drain()
                if self._cut:
                    await asyncio.Event().wait()  # the reply to the first half ends the link

    async def _pass_replies(self) -> None:
        with suppress(OSError):
            while reply := await self._server[0].read(_CHUNK):
                await self._hold()
                called, self._called = self._called, {}
                if self._cut and await self._is_caught(self._cut):
                    return
                if not reply.startswith(b"-"):  # an error: it did not run
                    if await self._is_caught(self._find_caught(called, "after")):
                        return
                    half = reply[: len(reply) // 2]
                    if await self._is_caught(self._find_caught(called, "within"), half):
                        return
                self._client[1].write(reply)
                await self._client[1].drain()

    async def _hold(self) -> None:
        if not self._proxy.flows.is_set():
            self._proxy.silences += 1
            await self._proxy.flows.wait()
        if self._proxy.delay_s:
            self._proxy.delayed += 1
            await asyncio.sleep(self._proxy.delay_s)

    def _find_caught(self, called: Iterable[str], moment: Moment) -> str | None:
        trap = self._proxy.trap
        return trap.closes_on(called, moment) if trap else None

    async def _is_caught(self, script: str | None, half: bytes = b"") -> bool:
        """Reset the connection whose call of ``script`` is caught; tell whether it was."""
        trap = self._proxy.trap
        if trap is None or script is None:
            return False
        if half:
            self._client[1].write(half)
            await self._client[1].drain()
        if trap.kill and not _kill_owner(self._client[1]):
            return False
        trap.catch(script)
        self.reset()
        return True


def _kill_owner(writer: asyncio.StreamWriter) -> bool:
    """Kill the process at the other end; tell whether there was one."""
    port = writer.get_extra_info("peername")[1]
    for connection in psutil.net_connections("tcp4"):
        # laddr is (address, port), and empty for a socket that is not bound
        if tuple(connection.laddr)[1:] == (port,) and connection.pid not in {None, os.getpid()}:
            psutil.Process(connection.pid).kill()
            return True
    return False


def _reset(writer: asyncio.StreamWriter) -> None:
    raw: Any = writer.get_extra_info("socket")
    with suppress(OSError):  # the peer has closed it already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
