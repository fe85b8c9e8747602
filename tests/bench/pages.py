"""What open live pages cost the web tier: its processor time with them less that without."""

import asyncio
import re
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.bench.report import Figure, Report
from tests.stack import Stack

PAGES = 200
SPAN_S = 30.0
_RETRY = re.compile(rb"^retry: (\d+)$", re.MULTILINE)
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)
_LENGTH = re.compile(rb"^content-length: (\d+)\r$", re.MULTILINE | re.IGNORECASE)


def measure() -> Report:
    """Measure a stack that mines a block each second, with and without pages."""
    with tempfile.TemporaryDirectory() as scratch:
        stack = Stack(Path(scratch, "data")).start()
        try:
            alone = _measure_share(stack, 0)[0]
            together, events, connections = _measure_share(stack, PAGES)
        finally:
            stack.stop()
    return Report(
        "pages",
        [
            Figure("the web tier without pages", 100 * alone, "% of a core"),
            Figure(f"with {PAGES} pages", 100 * together, "% of a core"),
            Figure("what the pages cost", 100 * (together - alone), "% of a core", at_most=5),
            Figure("events that a page got a second", events / PAGES / SPAN_S, "", at_least=0.4),
            Figure("connections that a page made", connections / PAGES, "", at_most=1),
        ],
        ["A page comes again as EventSource does: on its connection, after the time it is told."],
    )


def _measure_share(stack: Stack, pages: int) -> tuple[float, int, int]:
    """The web tier's share of a core, the events that pages got, and their connections."""

    async def run() -> tuple[float, int, int]:
        watching = [_Page(stack.url) for _ in range(pages)]
        tasks = [asyncio.create_task(page.watch()) for page in watching]
        tasks.append(asyncio.create_task(_keep_mining(stack.url)))
        await asyncio.sleep(5)  # the first event is large, and all open at once
        for page in watching:
            page.events = 0
        before, began = _processor_s(stack), time.monotonic()
        await asyncio.sleep(SPAN_S)
        share = (_processor_s(stack) - before) / (time.monotonic() - began)
        for task in tasks:
            task.cancel()
        for failed in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(failed, asyncio.CancelledError), failed
        return share, sum(p.events for p in watching), sum(p.connections for p in watching)

    return asyncio.run(run())


def _processor_s(stack: Stack) -> float:
    """Seconds of processor that the web tier's processes took so far."""
    processes = {p.pid: p for p in stack.processes_of("web")}
    for process in list(processes.values()):
        processes.update({child.pid: child for child in process.children(recursive=True)})
    times = [process.cpu_times() for process in map(psutil.Process, processes)]
    return sum(each.user + each.system for each in times)


class _Page:
    """An open page, as EventSource keeps it.

    Attributes:
        events: that it got.
        connections: that it made.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self.events = 0
        self.connections = 0
        self._last = b""

    async def watch(self) -> None:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        self.connections += 1
        while True:
            last = b"Last-Event-ID: %b\r\n" % self._last if self._last else b""
            writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % last)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            assert length, head
            body = await reader.readexactly(int(length[1]))
            if found := _ID.search(body):
                self._last = found[1]
                self.events += 1
            retry = _RETRY.search(body)
            assert retry, body
            await asyncio.sleep(int(retry[1]) / 1000)


async def _keep_mining(url: str) -> None:
    """A transaction each second, so that blocks come and samples change."""
    address = urlsplit(url)
    body = b'{"sender":"a","recipient":"b","amount":1}'
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    while True:
        writer.write(
            b"POST /chain/new HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert head.startswith(b"HTTP/1.1 202"), head
        assert length
        await reader.readexactly(int(length[1]))
        await asyncio.sleep(1)
