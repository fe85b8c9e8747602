"""A load balancer: each connection goes to the next replica; 502 where that one gives no answer."""

import asyncio
import sys
from contextlib import suppress
from itertools import cycle

_PART_BYTES = 64 * 1024
_BACKLOG = 1024  # connections that wait to be taken
_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def balance(port: int, replicas: list[int]) -> None:
    """Serve ``port`` of 127.0.0.1 until cancelled."""
    turns = cycle(replicas)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            if not await _pass_on(reader, writer, next(turns)):
                writer.write(_BAD_GATEWAY)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=_BACKLOG)
    async with server:
        await server.serve_forever()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replica: int
) -> bool:
    """Carry both directions; whether the replica answered anything."""
    try:
        there, back = await asyncio.open_connection("127.0.0.1", replica)
    except OSError:
        return False
    sending = asyncio.create_task(_copy(reader, back))
    try:
        return await _copy(there, writer) > 0
    finally:
        sending.cancel()
        back.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> int:
    """Until the source ends; how many bytes it gave."""
    total = 0
    with suppress(ConnectionError):
        while part := await source.read(_PART_BYTES):
            target.write(part)
            await target.drain()
            total += len(part)
    return total


if __name__ == "__main__":
    asyncio.run(balance(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
