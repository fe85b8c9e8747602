"""JSON from outside that is nested deeper than any decoder goes: one error, wherever it is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from minequeue.chain.errors import MalformedJson, MinequeueError
from minequeue.chain.ledger import Ledger
from minequeue.chain.protocol.strict_json import MAX_DEPTH, loads, make_reader, validate_depth
from minequeue.compose.backup.errors import BadBackup
from minequeue.compose.backup.lines import decode
from minequeue.compose.burst.client import _read_id
from minequeue.compose.check.chain_page import CannotRead, parse_answer
from minequeue.compose.client.key_file import BadKeyFile, read_key
from minequeue.compose.client.node_client import Answer, NodeAway, NodeClient
from minequeue.compose.client.proof import InvalidProof, run_verify
from minequeue.workers.peers.http_node import HttpNode
from minequeue.workers.peers.node import PeerFaulty
from tests.lambda_events import item, payment, queue_event, stream_event
from tests.unit.test_lambda import Objects, make_function
from tests.web_clients import make_client

DEPTHS = [1_100, 20_000]
GOOD = json.dumps(payment()).encode()


@pytest.fixture
def client(ledger: Ledger) -> FlaskClient:
    return make_client(ledger, body_bytes=1_000_000)


def _deep(levels: int) -> bytes:
    return b'{"sender":"a","recipient":"b","amount":' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("filling", [b"1", b'"[[[{{{"', rb'"\"[[["', rb'"\\"', b"[],{}"])
def test_the_depth_is_bounded_to_the_level(open_: bytes, close: bytes, filling: bytes) -> None:
    outer = MAX_DEPTH - (2 if filling == b"[],{}" else 0)
    filling = filling if b"," not in filling else b"[%b]" % filling
    validate_depth(open_ * outer + filling + close * outer)
    with pytest.raises(MalformedJson, match="levels deep"):
        validate_depth(open_ * (outer + 1) + filling + close * (outer + 1))


def test_width_is_no_depth() -> None:
    validate_depth(b"[" + b",".join([b'{"a":[{}]}'] * 10_000) + b"]")
    validate_depth(b'["' + b"[" * 10_000 + b'"]')


@pytest.mark.parametrize("read", [loads, make_reader(dict)])
@pytest.mark.parametrize("raw", [_deep(1_100), _deep(100_000), b"[" * 100_000, b'{"a":' * 10_000])
def test_every_reader_refuses_what_is_too_deep(read: Callable[[bytes], Any], raw: bytes) -> None:
    with pytest.raises(MalformedJson, match="levels deep"):
        read(raw)


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_deep_request_is_malformed(client: FlaskClient, levels: int) -> None:
    for path in ("/chain/new", "/nodes/register"):
        answer = client.post(path, data=_deep(levels), content_type="application/json")
        assert answer.status_code == 400
    array = b"[%b,%b]" % (GOOD, _deep(levels))
    assert client.post("/chain/new", data=array, content_type="application/json").status_code == 400


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_deep_line_is_refused_alone(client: FlaskClient, levels: int) -> None:
    lines = b"\n".join([GOOD, _deep(levels), GOOD])
    answer = client.post("/chain/new", data=lines, content_type="application/x-ndjson")
    assert answer.status_code == 202
    assert [entry["status"] for entry in answer.get_json()] == ["pending", "refused", "pending"]


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_deep_message_is_refused_alone(ledger: Ledger, levels: int) -> None:
    bodies = {"good": GOOD.decode(), "deep": _deep(levels).decode(), "other": GOOD.decode()}
    answer = make_function(ledger)(queue_event(bodies), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "deep"}]}
    assert ledger.queue.read().pending == 2


def test_a_deep_item_of_a_table_is_refused_alone(ledger: Ledger) -> None:
    contract: Any = {"S": "x"}
    for _ in range(5_000):
        contract = {"L": [contract]}
    changes = [("1", "INSERT", item("1", contract=contract)), ("2", "INSERT", item("2"))]
    answer = make_function(ledger)(stream_event(*changes), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert ledger.queue.read().pending == 1


def test_a_deep_line_of_an_object_is_refused_and_the_others_taken(ledger: Ledger) -> None:
    objects = Objects()
    objects.bodies["bucket/key"] = b"\n".join([GOOD, _deep(10_000), GOOD])
    function = make_function(ledger, objects=objects)
    event = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "bucket"}, "object": {"key": "key", "eTag": "e"}},
    }
    with pytest.raises(MinequeueError, match="1 of 3 lines"):
        function({"Records": [event]}, None)
    assert ledger.queue.read().pending == 2


class _Says:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def call(self, *_: Any, **__: Any) -> bytes:
        return self._body


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_deep_answer_of_a_node_is_no_answer(levels: int) -> None:
    node = HttpNode(_Says(_deep(levels)), "http://127.0.0.1:1")  # type: ignore[arg-type]  # a client
    with pytest.raises(PeerFaulty):
        node.tip()
    with pytest.raises(CannotRead):
        parse_answer(_deep(levels), "a file")
    with pytest.raises(NodeAway):
        NodeClient("http://node").parse(Answer(200, None, _deep(levels)))  # type: ignore[arg-type]  # not looked at
    assert _read_id(_deep(levels)) == ""


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_deep_file_is_refused(tmp_path: Path, levels: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(_deep(levels))
    path.chmod(0o600)
    with pytest.raises(InvalidProof):
        run_verify(path, None, [path], minimum_bits=1, network="x", as_json=True)
    with pytest.raises(BadKeyFile):
        read_key(path)
    with pytest.raises(BadBackup):
        decode(b'{"kind":"transaction","transaction":%b}\n' % _deep(levels))


def test_the_deepest_contract_fits_in_every_answer_that_holds_it() -> None:
    contract: Any = "x"
    for _ in range(16):
        contract = [contract]
    transaction = {"contract": contract}
    for text in (
        [transaction],  # a batch
        {"block": {"transactions": [transaction]}},  # a line of a backup
        {"chain": [{"transactions": [transaction]}]},  # GET /chain
    ):
        validate_depth(json.dumps(text).encode())
