"""Which addresses of nodes are read, and which may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minequeue.chain.errors import InvalidPeer
from minequeue.chain.peers.allow_list import AllowList, BadAllowList
from minequeue.chain.peers.url import PeerUrl

WORDS = st.text(alphabet="abx0123456789.:/@?#[]-_*%\\ hts", max_size=40)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("localhost:3001", "http://localhost:3001"),
        ("http://127.0.0.1:3001", "http://127.0.0.1:3001"),
        ("http://127.0.0.1:3001/", "http://127.0.0.1:3001"),
        ("HTTPS://Node-B.Example", "https://node-b.example:443"),
        ("http://node", "http://node:80"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_address_has_one_way_to_be_written(text: str, written: str) -> None:
    assert str(PeerUrl.parse(text)) == written
    assert str(PeerUrl.parse(written)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "http://:3000",
        "ftp://node:21",
        "file:///etc/passwd",
        "gopher://node:70",
        "http://user@node:3000",
        "http://user:password@node:3000",
        "http://node:3000/path",
        "http://node:3000?query",
        "http://node:3000#fragment",
        "http://node:0",
        "http://node:65536",
        "http://node:-1",
        "http://node:port",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.1/",
        "http://127.0.0.1.",
        "http://node\\@evil",
        "http://no de",
        "http://nöde",
        "http://-node",
        "http://[::1",
        "http://node\n",
        "http://" + "a" * 300,
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(InvalidPeer):
        PeerUrl.parse(text)


@given(WORDS)
def test_whatever_is_read_as_an_address_is_written_as_it_is_read(text: str) -> None:
    try:
        peer = PeerUrl.parse(text)
    except InvalidPeer:
        return
    assert PeerUrl.parse(str(peer)) == peer


@given(WORDS)
def test_whatever_is_read_as_an_allow_list_is_written_as_it_is_read(text: str) -> None:
    try:
        allowed = AllowList.parse(text)
    except BadAllowList:
        return
    assert AllowList.parse(str(allowed)) == allowed


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/33",
        "10.0.0.1/8",
        "node_/x",
        "*",
        "*.*",
        "0x7f.1",
        "1",
        "a-",
        "a" * 64,
        ".a",
        "a..b",
        "*.1",
    ],
)
def test_a_bad_entry_of_an_allow_list_is_named(text: str) -> None:
    with pytest.raises(BadAllowList) as caught:
        AllowList.parse(f"127.0.0.0/8,{text}")
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "host", "address", "permitted"),
    [
        ("127.0.0.0/8", "localhost", "127.0.0.1", True),
        ("127.0.0.0/8", "localhost", "10.0.0.1", False),
        ("127.0.0.0/8", "localhost", "::1", False),
        ("127.0.0.0/8", "x", "::ffff:127.0.0.1", True),
        ("127.0.0.0/8", "x", "::ffff:10.0.0.1", False),
        ("10.0.0.0/8", "x", "64:ff9b::a00:1", True),
        ("10.0.0.0/8", "x", "64:ff9b::7f00:1", False),
        ("10.0.0.0/8", "x", "2002:a00:1::", True),
        ("node-b", "node-b", "10.0.0.1", True),
        ("node-b", "node-c", "10.0.0.1", False),
        ("*.nodes", "b.nodes", "10.0.0.1", True),
        ("*.nodes", "nodes", "10.0.0.1", False),
        ("*.nodes", "evilnodes", "10.0.0.1", False),
        ("node-b", "node-b", "169.254.169.254", False),
        ("node-b", "node-b", "::ffff:169.254.169.254", False),
        ("node-b", "node-b", "fd00:ec2::254", False),
        ("node-b", "node-b", "fe80::1%eth0", False),
        ("node-b", "node-b", "0.0.0.0", False),
        ("node-b", "node-b", "224.0.0.1", False),
        ("node-b,169.254.169.254", "x", "169.254.169.254", True),
        ("0.0.0.0/8,::/127", "x", "0.0.0.0", False),
        ("0.0.0.0/8,127.0.0.1", "x", "0.0.0.0", True),
        ("0.0.0.0/8,127.0.0.1", "x", "::ffff:0.0.0.0", True),
        ("::/127", "x", "::", True),
        ("::", "x", "::", False),
        ("", "localhost", "127.0.0.1", False),
    ],
)
def test_what_may_be_called(text: str, host: str, address: str, permitted: bool) -> None:
    assert AllowList.parse(text).permits(host, address) == permitted
