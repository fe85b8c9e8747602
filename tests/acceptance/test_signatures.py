"""A network that demands signatures, as its user goes through it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http import post, post_raw
from tests.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "data", signatures="required", miners="1,1", web_processes="1")
    try:
        yield made.start()
    finally:
        made.stop()


def _sign(stack: Stack, key: Path, payments: list[dict[str, object]]) -> bytes:
    source = key.parent / "payments.ndjson"
    source.write_text("\n".join(map(json.dumps, payments)))
    done: subprocess.CompletedProcess[str] = stack.run("sign", "--key", str(key), str(source))
    assert done.returncode == 0, done.stderr
    return done.stdout.encode()


def test_what_is_signed_is_mined_and_nobody_spends_from_another_address(
    stack: Stack, tmp_path: Path
) -> None:
    key = tmp_path / "alice.key"
    made = stack.run("key", "new", str(key), "--json")
    address = json.loads(made.stdout)["address"]
    lines = _sign(stack, key, [{"recipient": "bob", "amount": n} for n in range(3)])
    answer = post_raw(stack.url, lines, "application/x-ndjson")
    assert answer.status == 202
    receipts = answer.json()
    stack.wait_until_drained()
    for receipt in receipts:
        proof = stack.get(receipt["links"]["proof"]).json()
        assert proof["transaction"]["sender"] == address
    unsigned = post(stack.url, {"sender": address, "recipient": "mallory", "amount": 1})
    assert unsigned.status == 400
    assert unsigned.json()["type"] == "urn:minequeue:problem:signature-required"
    stolen = {**json.loads(lines.splitlines()[0]), "recipient": "mallory"}
    assert post(stack.url, stolen).json()["type"] == "urn:minequeue:problem:invalid-transaction"
    again = post_raw(stack.url, lines, "application/x-ndjson")
    assert again.json() == receipts
    assert stack.check()["transactions"] == len(receipts)
    stack.stop()
    stack.environment["MINEQUEUE_SIGNATURES"] = "optional"
    other = stack.run("web")
    assert other.returncode == 1
    assert "Redis cannot be used" in other.stderr
