"""Whatever is sent, the answer is a problem that says what to change, and never a 5xx."""

import gzip
import json
import re
import socket
import struct
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.http import Answer, post, post_raw, request, talk
from tests.stack import Stack
from tests.waiting import wait_for

PLAIN = {"sender": "alice", "recipient": "bob", "amount": 5}
DEEP = 10_000


def _problem(answer: Answer, status: int, slug: str | None = None) -> dict[str, Any]:
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"].startswith("urn:minequeue:problem:")
    if slug is not None:
        assert problem["type"] == f"urn:minequeue:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


MALFORMED = {
    "nothing": b"",
    "not JSON": b"sender=alice",
    "half an object": b'{"sender": "alice"',
    "two texts": b"{} {}",
    "invalid UTF-8": b'{"sender": "\xff"}',
    "UTF-16": json.dumps(PLAIN).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(PLAIN).encode(),
    "NaN": b'{"sender": "a", "recipient": "b", "amount": NaN}',
    "Infinity": b'{"sender": "a", "recipient": "b", "amount": Infinity}',
    "a key twice": b'{"sender": "a", "sender": "a", "recipient": "b", "amount": 1}',
    "a key twice in a contract": b'{"sender": "a", "recipient": "b", "amount": 1, '
    b'"contract": {"x": 1, "x": 2}}',
    "10,000 arrays": b"[" * DEEP + b"]" * DEEP,
    "10,000 objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "10,000 open arrays": b"[" * DEEP,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_not_exact_json_is_malformed(url: str, body: bytes) -> None:
    _problem(post_raw(url, body), 400, "malformed-json")


@pytest.mark.parametrize("amount", [b"1.5", b"5.0", b"1e3", b"9007199254740992", b"9" * 5000])
def test_a_number_that_is_no_amount_is_json_and_invalid(url: str, amount: bytes) -> None:
    for field, text in (("amount", b"%b"), ("contract", b'1, "contract": {"x": [%b]}')):
        body = b'{"sender": "a", "recipient": "b", "amount": %b}' % (text % amount)
        assert _problem(post_raw(url, body), 400, "invalid-transaction")["field"] == field


def _levels(count: int) -> Any:
    value: Any = 1
    for _ in range(count):
        value = [value]
    return value


INVALID = {
    "null": (None, None),
    "a string": ("", None),
    "a number": (1, None),
    "a missing sender": ({"recipient": "b", "amount": 1}, "sender"),
    "a missing recipient": ({"sender": "a", "amount": 1}, "recipient"),
    "a missing amount": ({"sender": "a", "recipient": "b"}, "amount"),
    "an unknown field": ({**PLAIN, "fee": 1}, "fee"),
    "an id": ({**PLAIN, "id": "0" * 64}, "id"),
    "a negative amount": ({**PLAIN, "amount": -1}, "amount"),
    "an amount as text": ({**PLAIN, "amount": "5"}, "amount"),
    "true as an amount": ({**PLAIN, "amount": True}, "amount"),
    "null as an amount": ({**PLAIN, "amount": None}, "amount"),
    "a number as a sender": ({**PLAIN, "sender": 1}, "sender"),
    "an empty sender": ({**PLAIN, "sender": ""}, "sender"),
    "the reward's sender": ({**PLAIN, "sender": "0"}, "sender"),
    "a sender of 129": ({**PLAIN, "sender": "s" * 129}, "sender"),
    "a recipient of 129": ({**PLAIN, "recipient": "r" * 129}, "recipient"),
    "an array as a recipient": ({**PLAIN, "recipient": []}, "recipient"),
    "an empty nonce": ({**PLAIN, "nonce": ""}, "nonce"),
    "a nonce of 65": ({**PLAIN, "nonce": "n" * 65}, "nonce"),
    "half a surrogate pair": ({**PLAIN, "sender": "\ud800"}, "sender"),
    "half a pair in a contract": ({**PLAIN, "contract": {"\udfff": 1}}, "contract"),
    "a contract of 17 levels": ({**PLAIN, "contract": _levels(17)}, "contract"),
    "a contract of 16 KiB and 1": ({**PLAIN, "contract": "x" * (2**14 - 1)}, "contract"),
    "a signature of nobody": ({**PLAIN, "signature": "0" * 128}, "signature"),
}


@pytest.mark.parametrize(("value", "field"), INVALID.values(), ids=INVALID.keys())
def test_what_breaks_a_rule_is_invalid_and_its_field_named(
    url: str, value: Any, field: str | None
) -> None:
    problem = _problem(post(url, value), 400, "invalid-transaction")
    assert problem.get("field") == field


VALID = {
    "control characters": {**PLAIN, "sender": "\x00\x1f\x7f\u2028"},
    "emoji": {**PLAIN, "recipient": "\U0001f600" * 128},
    "the largest amount": {**PLAIN, "amount": 2**53 - 1},
    "no amount at all": {**PLAIN, "amount": 0},
    "16 levels": {**PLAIN, "contract": _levels(16)},
    "16 KiB": {**PLAIN, "contract": "x" * (2**14 - 2)},
}


@pytest.mark.parametrize("value", VALID.values(), ids=VALID.keys())
def test_what_is_unusual_and_within_the_rules_is_mined(stack: Stack, url: str, value: Any) -> None:
    answer = post(url, value)
    assert answer.status == 202
    stack.wait_until_drained()
    proof = stack.get(f"/transactions/{answer.json()['id']}/proof").json()
    assert {name: proof["transaction"][name] for name in value} == value


def test_an_array_of_garbage_is_refused_entry_by_entry(url: str) -> None:
    problem = _problem(post(url, [None, 1, {}, {**PLAIN, "amount": -1}]), 400, "invalid-batch")
    assert [error["index"] for error in problem["errors"]] == [0, 1, 2, 3]
    assert "amount" in problem["errors"][3]["detail"]


def test_the_good_entries_of_a_batch_are_accepted_and_the_bad_ones_told_why(url: str) -> None:
    answer = post(url, [PLAIN, None, PLAIN])
    assert answer.status == 202
    assert [entry["status"] for entry in answer.json()] == ["pending", "refused", "pending"]
    assert answer.json()[1]["problem"]["type"] == "urn:minequeue:problem:invalid-transaction"


def test_lines_are_a_batch_and_a_bad_line_is_refused_alone(url: str) -> None:
    lines = b"\n".join([json.dumps(PLAIN).encode(), b"", b"{oops", json.dumps(PLAIN).encode()])
    answer = post_raw(url, lines + b"\n", "application/x-ndjson")
    assert answer.status == 202
    assert [entry["status"] for entry in answer.json()] == ["pending", "refused", "pending"]


def test_an_empty_batch_is_refused(url: str) -> None:
    _problem(post(url, []), 400, "empty-batch")
    _problem(post_raw(url, b"\n\n", "application/x-ndjson"), 400, "empty-batch")


def test_a_batch_has_at_most_10000_entries(url: str) -> None:
    assert len(post(url, [PLAIN] * 10_000).json()) == 10_000
    _problem(post(url, [PLAIN] * 10_001), 413, "content-too-large")


def test_a_body_past_16_mib_is_refused(url: str) -> None:
    over = b" " * (16 * 2**20 + 1)
    _problem(post_raw(url, over), 413, "content-too-large")


def _start_post(url: str, *headers: str) -> bytes:
    lines = ["POST /chain/new HTTP/1.1", f"Host: {urlsplit(url).netloc}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


@pytest.mark.parametrize("chunks", [1, 17], ids=["1 MiB", "17 MiB"])
def test_a_body_without_a_length_is_refused_and_its_sender_told_what_to_send(
    url: str, chunks: int
) -> None:
    head = _start_post(url, "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")
    chunk = b"%x\r\n%b\r\n" % (2**20, b" " * 2**20)
    answer = talk(url, head, *[chunk] * chunks, b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 411")
    assert b"urn:minequeue:problem:length-required" in answer
    assert b"Content-Length" in answer


def test_a_compressed_body_is_told_from_malformed_json(url: str) -> None:
    packed = gzip.compress(json.dumps(PLAIN).encode())
    for path in ("/chain/new", "/nodes/register"):
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer = request("POST", url + path, packed, headers)
        _problem(answer, 415, "unsupported-media-type")
        assert answer.headers["Accept-Encoding"] == "identity"


def _cut(url: str, sent: bytes, *, reset: bool) -> None:
    """Send a part of a request, and close the connection or reset it."""
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0)) as connection:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(sent)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json"])
def test_nothing_of_a_body_that_breaks_off_is_accepted(
    stack: Stack, url: str, kind: str, reset: bool
) -> None:
    name = f"{kind}, {reset}"
    lines = [json.dumps({**PLAIN, "sender": name, "amount": n}).encode() for n in range(1000)]
    # each half of it is a whole text; of the short kind it is one plain transaction
    body = b"\n".join(lines) if kind != "application/json" else lines[0].ljust(1000)
    part = body[: body.rindex(b"\n", 0, len(body) // 2)] if b"\n" in body else body[:500]
    head = _start_post(
        url, f"Content-Type: {kind}", f"Content-Length: {len(body)}", f"Idempotency-Key: {name}"
    )
    before = _count_incomplete(stack)
    _cut(url, head + part, reset=reset)
    wait_for(lambda: _count_incomplete(stack) == before + 1, "the refusal")
    # the part would have made a receipt, and the whole another body of the same key
    assert post_raw(url, body, kind, Idempotency_Key=name).status == 202
    stack.wait_until_drained()
    found = stack.get("/chain?from=1").body.count(name.encode())
    assert found == (len(lines) if kind != "application/json" else 1)


def _count_incomplete(stack: Stack) -> float:
    found = re.search(r'reason="incomplete-body"\} (\S+)', stack.get("/metrics").body.decode())
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(url: str, kind: str) -> None:
    _problem(post_raw(url, json.dumps(PLAIN).encode(), kind), 415, "unsupported-media-type")


def test_a_charset_beside_the_content_type_does_no_harm(url: str) -> None:
    kind = "application/json; charset=utf-8"
    assert post_raw(url, json.dumps(PLAIN).encode(), kind).status == 202


@pytest.mark.parametrize("key", ["", "k" * 256, "k\xe9"])
def test_a_bad_idempotency_key_is_refused(url: str, key: str) -> None:
    _problem(post(url, PLAIN, Idempotency_Key=key), 400, "bad-idempotency-key")


def test_a_key_with_another_body_is_refused_and_with_the_same_gives_the_same(url: str) -> None:
    key = "k" * 255
    first = post(url, PLAIN, Idempotency_Key=key)
    assert first.status == 202
    assert post(url, PLAIN, Idempotency_Key=key).body == first.body
    other = post(url, {**PLAIN, "amount": 6}, Idempotency_Key=key)
    _problem(other, 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/chain/blocks/0", 404),
        ("/chain/blocks/999999999", 404),
        ("/chain/blocks/" + "9" * 400, 404),
        ("/chain/blocks/-1", 404),
        ("/chain/blocks/" + "0" * 64, 404),
        ("/chain/blocks/%00", 404),
        ("/transactions/" + "0" * 64, 404),
        ("/transactions/" + "A" * 64, 404),
        ("/transactions/x", 404),
        ("/transactions/" + "0" * 64 + "/proof", 404),
        ("/jobs/" + "0" * 32, 404),
        ("/jobs/x", 404),
        ("/chain?from=0", 400),
        ("/chain?from=-1", 400),
        ("/chain?from=999999999", 400),
        ("/chain?from=1.0", 400),
        ("/chain?from=%E0%A5%A7", 400),
        ("/chain?limit=0", 400),
        ("/chain?limit=1001", 400),
        ("/chain?limit=" + "9" * 5000, 400),
        ("/chain/headers?from=x", 400),
    ],
)
def test_what_is_not_there_or_out_of_range_is_told(url: str, path: str, status: int) -> None:
    _problem(request("GET", url + path), status)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/chain/new", "POST"),
        ("DELETE", "/chain", "GET"),
        ("PUT", "/chain/mine", "GET, POST"),
        ("POST", "/queue", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    url: str, method: str, path: str, allowed: str
) -> None:
    answer = request(method, url + path)
    _problem(answer, 405, "method-not-allowed")
    assert set(allowed.split(", ")) <= set(answer.headers["Allow"].split(", "))


def test_a_look_at_the_headers_of_mine_makes_no_block(url: str) -> None:
    assert request("HEAD", f"{url}/chain/mine").status == 405
    assert request("HEAD", f"{url}/chain").status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"POST /chain/new HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /chain/new HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=["nonsense", "no host", "negative length", "two lengths", "a huge header", "a huge path"],
)
def test_broken_http_harms_nobody(stack: Stack, url: str, raw: bytes) -> None:
    answer = talk(url, raw)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert stack.get("/health/live").status == 200


def test_http_2_is_not_spoken(url: str) -> None:
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    answer = talk(url, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings)
    assert answer[:1] != b"\x00"  # the server's own settings
    assert not answer or answer.startswith(b"HTTP/1.1 400")


def _head(*, headers: int = 2, bytes_: int = 0, path: int = 0) -> bytes:
    """A request of so many headers, with a header or a path of so many bytes more."""
    lines = [f"GET /health/live{'?' * bool(path)}{'a' * path} HTTP/1.1", "Host: x"]
    lines += [f"H{number}: x" for number in range(headers - 2)]
    lines += ["Connection: close" if not bytes_ else f"Connection: close\r\nA: {'a' * bytes_}"]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("within", "past", "status"),
    [
        ({"headers": 100}, {"headers": 101}, b"431"),
        ({"bytes_": 32_000}, {"bytes_": 66_000}, b"431"),
        ({"path": 32_000}, {"path": 66_000}, b"414"),
    ],
    ids=["100 headers", "32 and 64 KiB of headers", "32 and 64 KiB of path"],
)
def test_the_head_of_a_request_has_its_bounds(
    url: str, within: dict[str, int], past: dict[str, int], status: bytes
) -> None:
    assert talk(url, _head(**within)).startswith(b"HTTP/1.1 200")
    assert talk(url, _head(**past))[9:12] in {status, b"431"}
