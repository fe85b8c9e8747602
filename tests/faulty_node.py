"""A stand-in for a node that answers what it is told, byte for byte."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Told:
    """One answer.

    Attributes:
        status: of it.
        body: its bytes.
        headers: beside its length.
        length: that it declares; None for that of the body.
    """

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@contextmanager
def serve(answer: Callable[[Asked], Told | None]) -> Iterator[str]:
    """Serve what ``answer`` says, and give the URL; None closes the connection."""

    class Node(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = answer(Asked(self.command, self.path, headers, body))
            self.close_connection = True
            if told is None:
                return
            self.send_response(told.status)
            length = len(told.body) if told.length is None else told.length
            self.send_header("Content-Length", str(length))
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the answer was longer than the reader wanted
                self.wfile.write(told.body)

        do_POST = do_GET  # noqa: N815  # the names are the base class's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Node) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
