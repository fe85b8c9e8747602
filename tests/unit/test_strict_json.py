import json

import pytest
from hypothesis import given

from minequeue.chain.errors import MalformedJson
from minequeue.chain.protocol import strict_json
from minequeue.chain.protocol.strict_json import MAX_DEPTH, MAX_INTEGER
from tests.unit.test_canonical import values


@given(values)
def test_whatever_json_has_without_fractions_is_read_as_it_was_written(value: object) -> None:
    assert strict_json.loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": 1, "a": 1}', "'a' is in one object twice"),
        (b'{"contract": {"b": {}, "b": 0}}', "'b' is in one object twice"),
        (b"NaN", "NaN is not a JSON number"),
        (b"[-Infinity]", "-Infinity is not a JSON number"),
        (b"[" * 10_000 + b"]" * 10_000, "levels deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "levels deep"),
        (b"[" * 10_000, "levels deep|not JSON"),
        (b'{"a": 1} x', "not JSON"),
    ],
)
def test_what_two_readers_could_read_apart_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(MalformedJson, match=why):
        strict_json.loads(body)


def test_the_largest_integers_are_read_exactly() -> None:
    assert strict_json.loads(b"[9007199254740991, -9007199254740991]") == [
        MAX_INTEGER,
        -MAX_INTEGER,
    ]
    assert strict_json.loads(b"18446744073709551615") == 2**64 - 1  # a header's largest proof


@pytest.mark.parametrize("raw", [b"5.0", b"1e3", b"1e999", b"1" * 21, b"1" * 5000])
def test_a_number_that_is_no_exact_integer_is_json_and_a_float(raw: bytes) -> None:
    assert type(strict_json.loads(raw)) is float


def test_nesting_is_read_to_its_bound_and_not_past_it() -> None:
    assert strict_json.loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(MalformedJson, match="levels deep"):
        strict_json.loads(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
