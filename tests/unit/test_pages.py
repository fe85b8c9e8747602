"""The pages for people: whole without scripts, and nothing that others wrote is run in them."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger, RedisClient, Submission
from minequeue.chain.protocol.transaction import accept_submission
from tests.ledgers import BOUNDS, RULES, make_ledger, mine_all, submit
from tests.web_clients import make_client

EVIL = '<script>alert("&1")</script>'


def pay(ledger: Ledger, sender: str, recipient: str, **more: Any) -> str:
    """Submit a payment and give its id."""
    fields = {"sender": sender, "recipient": recipient, "amount": 7, **more}
    made = accept_submission(fields, lambda: f"{sender}>{recipient}")
    ledger.mempool.submit([Submission([made])])
    return made.id


def test_the_live_page_shows_numbers_and_blocks_without_scripts(
    ledger: Ledger, client: FlaskClient
) -> None:
    submit(ledger, 3)
    mine_all(ledger)
    submit(ledger, 2)
    page = client.get("/")
    assert page.status_code == 200
    assert page.content_type == "text/html; charset=utf-8"
    assert re.search(r'data-number="depth">2<', page.text)
    assert re.search(r'data-number="height">2<', page.text)
    tip = ledger.blocks.tip().header.hash.hex()
    assert re.search(rf'data-hash="{tip}">.*?class="count">3<', page.text, re.DOTALL)


@pytest.mark.parametrize(
    "path", ["/", "/blocks/1", "/addresses?name=a", "/tx/0", "/assets/live.js"]
)
def test_a_page_runs_its_own_scripts_alone_and_is_in_no_frame(
    client: FlaskClient, path: str
) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/", "/blocks/1", "/addresses?name=a", "/tx/0"])
def test_a_page_has_no_script_or_style_in_it_and_asks_nobody_else(
    client: FlaskClient, path: str
) -> None:
    text = client.get(path).text
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text)
    asked = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"]+)"', text)
    assert asked
    for name in asked:
        assert name.startswith("/assets/")
        assert client.get(name).status_code == 200


def test_what_a_transaction_says_is_shown_and_never_run(
    ledger: Ledger, client: FlaskClient
) -> None:
    made = pay(ledger, EVIL, EVIL, contract={EVIL: EVIL})
    mine_all(ledger)
    for path in ("/blocks/2", f"/tx/{made}", f"/addresses?name={quote(EVIL)}"):
        text = client.get(path).text
        assert "alert" in text
        assert "<script>" not in text


def test_a_block_is_found_by_its_index_and_by_its_hash(ledger: Ledger, client: FlaskClient) -> None:
    submit(ledger, 1)
    mine_all(ledger)
    digest = ledger.blocks.tip().header.hash.hex()
    for name in ("2", digest):
        page = client.get(f"/blocks/{name}")
        assert page.status_code == 200
        assert digest in page.text
    assert 'rel="prev"' in page.text
    assert 'rel="next"' not in page.text


def test_a_large_block_is_shown_in_parts(redis_client: RedisClient) -> None:
    roomy = replace(RULES, block_transactions=150), replace(BOUNDS, pending=150)
    ledger = make_ledger(redis_client, *roomy)
    submit(ledger, 150)
    mine_all(ledger)
    client = make_client(ledger)
    first = client.get("/blocks/2").text
    assert first.count('href="/tx/') == 100
    rest = client.get("/blocks/2?from=100").text
    assert rest.count('href="/tx/') == 51
    assert 'href="?from=0"' in rest
    assert client.get("/blocks/2?from=150").status_code == 200
    assert client.get("/blocks/2?from=151").status_code == 400


def test_a_transaction_is_pending_and_then_in_its_block(
    ledger: Ledger, client: FlaskClient
) -> None:
    made = pay(ledger, "alice", "bob")
    assert "pending" in client.get(f"/tx/{made}").text
    mine_all(ledger)
    page = client.get(f"/tx/{made}").text
    header = ledger.blocks.tip().header
    assert f'href="/blocks/{header.hash.hex()}"' in page
    assert f'data-header="{header.pack().hex()}"' in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/blocks/0", 404),
        ("/blocks/2", 404),
        ("/blocks/" + "a" * 64, 404),
        ("/blocks/1?from=x", 400),
        ("/tx/" + "a" * 64, 404),
        ("/tx/nonsense", 404),
        ("/addresses", 400),
        ("/addresses?name=" + "a" * 129, 400),
        ("/addresses?name=a&before=1", 400),
        ("/search?q=", 400),
        ("/search?q=" + "a" * 129, 400),
        ("/assets/other.js", 404),
    ],
)
def test_a_refusal_is_a_page_that_says_why(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.content_type == "text/html; charset=utf-8"
    assert re.search(r"<h1>\w.*</h1>\s*<p>\w.*\.</p>", answer.text)


def test_the_search_leads_to_a_block_a_transaction_or_an_address(
    ledger: Ledger, client: FlaskClient
) -> None:
    made = pay(ledger, "alice", "bob")
    mine_all(ledger)
    digest = ledger.blocks.tip().header.hash.hex()
    for text, path in (
        ("2", "/blocks/2"),
        (f" {digest} ", f"/blocks/{digest}"),
        (made, f"/tx/{made}"),
        ("alice", "/addresses?name=alice"),
        ("a&b", "/addresses?name=a%26b"),
        ("3", "/addresses?name=3"),
        ("f" * 64, "/addresses?name=" + "f" * 64),
        ("a" * 128, "/addresses?name=" + "a" * 128),
    ):
        answer = client.get("/search", query_string={"q": text})
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
        assert client.get(answer.headers["Location"]).status_code == 200


def test_an_address_shows_what_it_sent_and_received(ledger: Ledger, client: FlaskClient) -> None:
    sent, received = pay(ledger, "carol", "bob"), pay(ledger, "bob", "carol")
    other = pay(ledger, "bob", "dave", contract={"recipient": "carol"})
    mine_all(ledger)
    page = client.get("/addresses?name=carol").text
    assert f"/tx/{sent}" in page
    assert f"/tx/{received}" in page
    assert f"/tx/{other}" not in page


def test_as_many_read_addresses_at_once_as_the_reading_room_has_seats_for(ledger: Ledger) -> None:
    answer = make_client(ledger, readers=0).get("/addresses?name=alice")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("flower_url", "host", "link"),
    [
        (":5555", "node.example:3000", "http://node.example:5555"),
        (":5555", "[::1]:3000", "http://[::1]:5555"),
        ("https://flower.example", "node.example", "https://flower.example"),
    ],
)
def test_the_live_page_links_to_flower(
    ledger: Ledger, flower_url: str, host: str, link: str
) -> None:
    client = make_client(ledger, flower_url=flower_url, hosts=["node.example"])
    assert f'<a href="{link}">' in client.get("/", headers={"Host": host}).text
