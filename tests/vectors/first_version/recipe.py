"""How the ledgers beside this file were made, with the code of version 1.0.0; run once.

    python -m tests.vectors.first_version.recipe CHECKOUT

CHECKOUT holds that version's code. Only its routes and its commands are used, so that the recipe
serves for later versions too. What clients were answered is kept in facts.json.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.http import Answer, post, post_raw, request
from tests.server import start_server, url_of
from tests.stack import free_port
from tests.waiting import wait_for

HERE = Path(__file__).parent
TOKENS = {"alice": "mq_first_alice", "bob": "mq_first_bob", "admin": "mq_first_admin"}
_SCOPES = {"alice": "submit+mine", "bob": "submit+mine", "admin": "admin"}
ENTRIES = ",".join(
    f"{name}:{_SCOPES[name]}:{sha256(text.encode()).hexdigest()}" for name, text in TOKENS.items()
)
NDJSON = "application/x-ndjson"


class Node:
    """A server with its log, and the parts that are started on it."""

    def __init__(self, checkout: Path, directory: Path, **settings: str) -> None:
        self._checkout = checkout
        self._directory = directory
        self.url = f"http://127.0.0.1:{free_port()}"
        self.facts: dict[str, Any] = {"settings": settings, "answers": []}
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MINEQUEUE_")},
            "PYTHONPATH": str(checkout),
            "MINEQUEUE_REDIS_URL": url_of(directory),
            "MINEQUEUE_DATA_DIR": str(directory / "parts"),
            "MINEQUEUE_PORT": self.url.rpartition(":")[2],
            "MINEQUEUE_WEB_PROCESSES": "1",
            "MINEQUEUE_WORKERS": "1,1",
            "MINEQUEUE_BLOCK_INTERVAL": "0.2",
            **{f"MINEQUEUE_{name.upper()}": value for name, value in settings.items()},
        }

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run a command to its end; its output."""
        return subprocess.run(
            [sys.executable, "-m", "compose", *arguments],
            cwd=self._directory,
            env=self._environment,
            input=given,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    @contextmanager
    def part(self, *arguments: str, **settings: str) -> Iterator[None]:
        """Run a part; it is killed when this is left."""
        others = {f"MINEQUEUE_{name.upper()}": value for name, value in settings.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "compose", *arguments],
            cwd=self._directory,
            env=self._environment | others,
            start_new_session=True,
        )
        try:
            if arguments == ("web",):
                wait_for(lambda: self.get("/health/ready").status == 200, "web")
            yield
        finally:
            os.killpg(process.pid, 9)
            process.wait()

    def get(self, path: str) -> Answer:
        return request("GET", f"{self.url}{path}")

    def ask(self, path: str, value: Any = None, *, who: str = "", key: str = "") -> Any:
        """POST, and keep request and answer among the facts."""
        headers = {"Authorization": f"Bearer {TOKENS[who]}"} if who else {}
        if key:
            headers["Idempotency-Key"] = key
        if isinstance(value, bytes):
            answer = post_raw(self.url, value, NDJSON, **headers)
        elif path == "/chain/new":
            answer = post(self.url, value, **headers)
        else:
            body = None if value is None else json.dumps(value).encode()
            kind = {"Content-Type": "application/json"}
            answer = request("POST", f"{self.url}{path}", body, headers | kind)
        assert answer.status in {201, 202}, answer
        said = answer.json()
        sent = value.decode() if isinstance(value, bytes) else value
        self.facts["answers"].append(
            {"path": path, "who": who, "key": key, "body": sent, "answer": said}
        )
        return said

    def keep_state(self) -> None:
        """Keep what waits and the tip among the facts."""
        queue = self.get("/queue").json()
        waiting = {name: queue[name] for name in ("pending_transactions", "mine_requests")}
        self.facts |= {"waiting": waiting, "tip": self.get("/chain/tip").json()}

    def wait_until_drained(self) -> None:
        wait_for(lambda: self.get("/queue").json()["depth"] == 0, "draining")


def pay(amount: int, **others: Any) -> dict[str, Any]:
    return {"sender": "alice", "recipient": "bob", "amount": amount, **others}


def make_optional(node: Node) -> None:
    """A ledger with tokens: half of it mined, the other half waiting."""
    with node.part("web"):
        with node.part("worker", "--name", "first"), node.part("resolver", "--name", "second"):
            node.ask("/nodes/register", {"nodes": ["http://127.0.0.1:9"]}, who="admin")
            done = node.ask("/nodes/resolve", who="admin")["id"]
            node.ask("/chain/new", pay(1), who="alice", key="one")
            node.ask("/chain/new", [pay(n) for n in range(2, 12)], who="alice", key="many")
            node.ask("/chain/new", pay(12, contract={"say": "Grüße", "n": [1, None]}), who="bob")
            node.ask("/chain/new", pay(13, nonce="my own"), who="bob")
            for n in range(5):
                node.ask("/chain/mine", who="alice", key=f"mine {n}")
            node.wait_until_drained()
            wait_for(lambda: node.get(f"/jobs/{done}").json()["status"] == "done", "resolving")
        lines = b"\n".join(json.dumps(pay(n)).encode() for n in range(20, 40))
        node.ask("/chain/new", lines, who="alice", key="waiting lines")
        node.ask("/chain/new", pay(40), who="alice", key="waiting")
        node.ask("/chain/new", pay(41, nonce="waiting too"), who="bob")
        job = node.ask("/chain/mine", who="alice", key="waiting mine")["id"]
        node.ask("/chain/mine", who="bob")
        with node.part("worker", "--name", "third", bits="24"):  # killed over its candidate
            wait_for(lambda: node.get(f"/jobs/{job}").json()["status"] == "mining", "mining")
        node.ask("/nodes/register", {"nodes": ["http://[::1]:9"]}, who="admin")
        node.ask("/nodes/resolve", who="admin")
        node.keep_state()


def make_required(node: Node) -> None:
    """A ledger whose network demands signatures, without tokens."""
    node.run("key", "new", "key")

    def sign(*amounts: int) -> bytes:
        lines = b"\n".join(
            json.dumps({"recipient": "bob", "amount": amount}).encode() for amount in amounts
        )
        return node.run("sign", "--key", "key", given=lines)

    with node.part("web"):
        with node.part("worker", "--name", "first"):
            node.ask("/chain/new", sign(1, 2, 3), key="signed")
            node.ask("/chain/mine", key="mine")
            node.wait_until_drained()
        node.ask("/chain/new", sign(4, 5), key="signed and waiting")
        node.ask("/chain/mine", key="waiting mine")
        node.keep_state()


def keep(name: str, raw: bytes) -> None:
    (HERE / f"{name}.gz").write_bytes(gzip.compress(raw, mtime=0))


def main(checkout: Path) -> None:
    facts: dict[str, Any] = {"tokens": TOKENS}
    for name, make, settings in (
        ("optional", make_optional, {"tokens": ENTRIES, "bits": "12"}),
        ("required", make_required, {"signatures": "required", "network": "signed", "bits": "12"}),
    ):
        with tempfile.TemporaryDirectory() as scratch:
            node = Node(checkout, Path(scratch), **settings)
            server = start_server(Path(scratch))
            try:
                make(node)
                node.run("export", "backup")
            finally:
                server.kill()
                server.wait()
            [log] = Path(scratch, "ledger", "appendonlydir").glob("*.incr.aof")
            keep(f"{name}.aof", log.read_bytes())
            keep(f"{name}.ndjson", Path(scratch, "backup").read_bytes())
            facts[name] = node.facts
    (HERE / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
