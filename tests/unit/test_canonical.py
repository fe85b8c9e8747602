import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from minequeue.chain.errors import MalformedJson
from minequeue.chain.protocol import canonical
from minequeue.chain.protocol.strict_json import MAX_INTEGER

integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(values)
@example({"\U0001f600": 1, "\ufb33": 2})  # UTF-16 and UTF-8 sort these two apart
@example({"\x7f": '\x00\x1f\b\t\n\f\r"\\/'})
@example({"a": {"c": 1, "b": 2}, "A": True})
def test_the_form_is_that_of_rfc_8785(value: object) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # JSON only


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(MalformedJson, match="surrogate"):
        canonical.encode({"a": "\ud800"})
