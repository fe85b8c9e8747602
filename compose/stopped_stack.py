"""The chain of a stack that does not run: its server is started for a moment."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from compose import embedded
from compose.chain_page import CannotRead
from compose.data_dir import hold, log_path
from compose.settings import Settings
from compose.wiring import make_web


@contextmanager
def serve(data_dir: Path, network: str | None) -> Iterator[Callable[[str, int | None], bytes]]:
    """Give a function that answers a path as the web tier would, cut off after so many bytes.

    Raises:
        CannotRead: it is no data directory.
        StartRefused: it is in use.
    """
    if not (data_dir / "ledger").is_dir():
        raise CannotRead(f"{data_dir} is no data directory: it holds no ledger.")
    options = {"data_dir": str(data_dir), "redis_url": ""}
    settings = Settings.from_environment(
        os.environ, options | ({"network": network} if network else {})
    )
    socket = embedded.socket_path(data_dir)
    with hold(data_dir), log_path(data_dir, "server").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603  # our own program
            embedded.server_command(embedded.find_server(settings.server_binary), data_dir, socket),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            embedded.wait_until_ready(socket, lambda: server.poll() is None)
            client = make_web(settings).test_client()

            def get(path: str, most: int | None) -> bytes:
                raw = bytearray()
                with client.get(path) as answer:
                    for chunk in answer.iter_encoded():
                        raw += chunk
                        if most is not None and len(raw) > most:
                            break
                return bytes(raw)

            yield get
        finally:
            server.terminate()
            server.wait()
