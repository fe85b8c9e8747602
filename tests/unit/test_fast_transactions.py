"""The fast path gives what the strict way gives, or nothing."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minequeue.chain.errors import MinequeueError
from minequeue.chain.protocol import fast_transactions, strict_json
from minequeue.chain.protocol.strict_json import MAX_INTEGER
from minequeue.chain.protocol.transaction import Transaction, accept_submission

PLAIN = b'{"sender":"alice","recipient":"bob","amount":5}'
NAMED = b'{"sender":"alice","recipient":"bob","amount":5,"nonce":"n"}'

blanks = st.sampled_from(["", " ", "\n", "\t\r\n ", "\x0b", "\xa0"])
names = st.sampled_from(["sender", "recipient", "amount", "nonce", "contract", "fee", "signature"])
texts = st.sampled_from(["0", "a", "x" * 64, "x" * 65, "y" * 128, "y" * 129, "", "}{][,:"])
values = st.one_of(
    texts.map(json.dumps),
    st.text(max_size=4).map(json.dumps),
    st.text(max_size=4).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.integers(-2, MAX_INTEGER + 2).map(str),
    st.integers(MAX_INTEGER - 2, MAX_INTEGER + 2).map(str),
    st.sampled_from(["-0", "01", "1.0", "1e3", "1E999", "NaN", "-Infinity", "9" * 5000, "+1"]),
    st.sampled_from(['"\\ud800"', '"\\u0061"', '"\x7f"', '"\x00"', '"a\nb"', "'a'", '"unfinished']),
    st.sampled_from(
        ["true", "null", "[]", "", '{"a":1,"a":2}', '{"sender":"a"}', "[" * 30 + "]" * 30]
    ),
)
fields = st.tuples(names, values)


def _default(position: int) -> str:
    return f"drawn{position}"


@st.composite
def objects(draw: st.DrawFn) -> str:
    """A text that is often a plain transaction, and else nearly one."""
    members = [("sender", '"a"'), ("recipient", '"b"'), ("amount", "5")]
    for changed in draw(st.lists(fields, max_size=2)):
        members = [m for m in members if m[0] != changed[0]]
        members.append(changed)
    members += draw(st.one_of(st.just([]), st.lists(fields, max_size=2)))  # keys that stand twice
    blank = draw(blanks)
    inside = f",{blank}".join(
        f'"{name}"{blank}:{blank}{value}' for name, value in draw(st.permutations(members))
    )
    return f"{blank}{{{inside}}}{blank}"


def _strictly(raw: bytes, position: int = 0) -> Transaction | None:
    try:
        return accept_submission(strict_json.loads(raw), lambda: _default(position))
    except MinequeueError:
        return None


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@given(objects())
@example(PLAIN.decode())
@example('{"sender":"a","recipient":"b","amount":5,"amount":5}')
@example('{"amount":"x","sender":"a","recipient":"b","amount":5}')
@example('{"amount":1e3,"sender":"a","recipient":"b","amount":5,"nonce":"n","nonce":"n"}')
def test_what_is_read_is_what_the_strict_way_reads(text: str) -> None:
    raw = _encode(text)
    read = fast_transactions.read_one(raw, _default)
    assert read is None or read == _strictly(raw)


@given(st.lists(objects(), max_size=4), blanks)
def test_an_array_is_read_as_the_strict_way_reads_its_entries(
    entries: list[str], blank: str
) -> None:
    raw = _encode(f"[{blank}{','.join(entries)}{blank}]")
    read = fast_transactions.read_array(raw, _default, most=4)
    if read is not None:
        strict = strict_json.loads(raw)
        assert isinstance(strict, list)
        assert read == [
            accept_submission(entry, partial(_default, position))
            for position, entry in enumerate(strict)
        ]


@given(st.lists(objects(), max_size=4))
@example(['{"sender":"a","recipient":', '"b","amount":5}'])
@example([f"{NAMED.decode()} {NAMED.decode()}", "{}"])
def test_lines_are_read_as_the_strict_way_reads_each(entries: list[str]) -> None:
    lines = [line for line in _encode("\n".join(entries)).split(b"\n") if line.strip()]
    read = fast_transactions.read_lines(lines, _default, most=9)
    assert read is None or read == [_strictly(line, i) for i, line in enumerate(lines)]


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN,
        NAMED,
        b' {"amount" : 0,\n"recipient":"b" ,"sender": "a"}\r\n',
        b'{"sender":"}{,:","recipient":"[]","amount":9007199254740991}',
        b'{"sender":"%b","recipient":"\x7f","amount":1,"nonce":"%b"}' % (b"s" * 128, b"n" * 64),
    ],
)
def test_the_usual_submission_takes_the_short_way(raw: bytes) -> None:
    expected = _strictly(raw)
    assert expected is not None
    assert fast_transactions.read_one(raw, _default) == expected
    assert fast_transactions.read_array(b"[%b]" % raw, _default, most=1) == [expected]
    if b"\n" not in raw.strip():
        assert fast_transactions.read_lines([raw], _default, most=1) == [expected]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.replace(b'"amount":5', b'"amount":5,"amount":5'),
        lambda raw: raw.replace(b'"bob"', b'"bob","recipient":"bob"'),
        lambda raw: raw.replace(b'"amount":5', b'"amount":5.0'),
        lambda raw: raw.replace(b'"amount":5', b'"amount":true'),
        lambda raw: raw.replace(b'"amount":5', b'"amount":9007199254740992'),
        lambda raw: raw.replace(b"alice", b"0"),
        lambda raw: raw.replace(b"alice", b"\\u0061"),
        lambda raw: raw.replace(b"alice", "\u00e9".encode()),
        lambda raw: raw.replace(b"}", b',"contract":1}'),
        lambda raw: raw.replace(b"}", b',"fee":1}'),
        lambda raw: raw + b"{}",
    ],
)
def test_what_is_not_plain_is_left_to_the_strict_way(spoil: Callable[[bytes], bytes]) -> None:
    raw = spoil(PLAIN)
    assert raw != PLAIN
    assert fast_transactions.read_one(raw, _default) is None
    assert fast_transactions.read_array(b"[%b,%b]" % (PLAIN, raw), _default, most=2) is None
    assert fast_transactions.read_lines([PLAIN, raw], _default, most=2) is None


def test_more_entries_than_allowed_are_left_to_the_strict_way() -> None:
    assert fast_transactions.read_array(b"[%b,%b]" % (PLAIN, PLAIN), _default, most=1) is None
    assert fast_transactions.read_lines([PLAIN, PLAIN], _default, most=1) is None


def test_an_entry_without_a_nonce_gets_the_one_of_its_position() -> None:
    read = fast_transactions.read_array(b"[%b,%b,%b]" % (PLAIN, NAMED, PLAIN), _default, most=3)
    assert read is not None
    nonces: list[Any] = [json.loads(transaction.canonical)["nonce"] for transaction in read]
    assert nonces == ["drawn0", "n", "drawn2"]
