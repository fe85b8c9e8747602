"""Nodes behind real sockets: honest ones over a ledger, and hostile ones that send anything."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.serving import make_server

Send = Callable[[socket.socket, str], None]  # the connection, and the path that was asked for


@contextmanager
def serve_app(app: WSGIApplication, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a web app, by TLS where that is given, and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def serve_raw(send: Send) -> Iterator[str]:
    """Answer each connection by ``send``, in a thread of its own, and give the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):  # the caller may leave at any time
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                send(connection, head.split(b" ")[1].decode())

        def accept() -> None:
            with suppress(OSError):  # the listening socket was closed
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=serve, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def write(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An answer, its length said truly or not."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def write_json(value: Any) -> bytes:
    return write(json.dumps(value).encode())
