"""A name that leads to one server now and to another later, as a managed server's endpoint does.

New connections go where the relay points; those that are open stay where they are, as with a name
whose address changed. With a certificate the relay ends TLS, which the installed server cannot.
"""

import asyncio
import ssl
import threading
from contextlib import suppress

_CHUNK = 65536  # bytes
_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Relay:
    """Passes bytes on to a port of this machine, in a thread of its own.

    Args:
        target: the port that new connections lead to; may be set at any time.
        tls: to end TLS here; None for plain TCP.

    Attributes:
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self.target = target
        self.port = 0
        self._tls = tls
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def __enter__(self) -> "Relay":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for writer in self._open:
            writer.transport.abort()
        self._loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(self._loop)))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ours = reader, writer
        self._open |= {writer, theirs[1]}
        ways = [
            asyncio.ensure_future(_pass(ours, theirs)),
            asyncio.ensure_future(_pass(theirs, ours)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.transport.abort()
            theirs[1].transport.abort()
            self._open -= {writer, theirs[1]}


async def _pass(source: _Stream, sink: _Stream) -> None:
    with suppress(OSError):
        while sent := await source[0].read(_CHUNK):
            sink[1].write(sent)
            await sink[1].drain()
