"""A stand-in for a node: it answers GET /chain?from=&limit= with blocks made beforehand."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def write_block(block: dict[str, Any]) -> bytes:
    return json.dumps(block, separators=(",", ":")).encode()


def write_answer(blocks: Sequence[bytes], length: int) -> bytes:
    return b'{"chain":[%b],"length":%d}' % (b",".join(blocks), length)


@contextmanager
def serve_chain(
    blocks: Sequence[bytes], on_request: Callable[[int, int], object] = lambda _first, _limit: None
) -> Iterator[str]:
    """Serve ``blocks``, as :func:`write_block` makes them, and give the URL.

    ``on_request`` hears from and limit of each request before it is answered.
    """

    class Node(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            first, limit = int(asked["from"][0]), int(asked["limit"][0])
            on_request(first, limit)
            answer = write_answer(blocks[first - 1 : first - 1 + limit], len(blocks))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            try:
                self.wfile.write(answer)
            except ConnectionError:
                self.close_connection = True  # the answer was longer than the reader wanted

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Node) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
