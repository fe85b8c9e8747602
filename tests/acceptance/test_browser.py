"""The pages in a real browser: from the form to a block, a burst seen live, what goes wrong."""

import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.http import post, post_raw
from tests.stack import Stack
from tests.waiting import wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
SOON_MS = 20_000
expect.set_options(timeout=SOON_MS)
FOREIGN = "foreign.example"  # a name that its owner lets lead here
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # containers have no user namespaces for its sandbox; it sees our own pages alone
        arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1"]
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield running
        running.close()


class Watched:
    """A page, and all that its console and its requests complain of."""

    def __init__(self, browser: Browser, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SOON_MS)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda asked: self.complaints.append(asked.url))
        self.asked: list[str] = []
        self.page.on("request", lambda asked: self.asked.append(asked.url))


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    made = Watched(browser)
    yield made
    made.context.close()


def number(page: Page, name: str) -> int:
    """What a tile shows, once it shows a number."""
    text = page.locator(f'[data-number="{name}"]').inner_text()
    return int(text.replace(",", "")) if re.fullmatch(r"[\d,]+", text) else -1


def test_from_the_form_to_a_block_and_a_verified_proof(stack: Stack, watched: Watched) -> None:
    page = watched.page
    page.goto(stack.url)
    page.get_by_label("Sender").fill("browser-alice")
    page.get_by_label("Recipient").fill("browser-bob")
    page.get_by_label("Amount").fill("12")
    page.get_by_role("button", name="Submit").click()
    receipt = page.locator(".receipts li").first
    expect(receipt.locator(".status")).to_have_text(re.compile(r"^mined in block \d+, proof$"))
    receipt.get_by_role("link", name="proof").click()
    result = page.locator("[data-result]")
    expect(result).to_have_text(re.compile(r"^verified here: \d+ hashes"))
    expect(page.locator("[data-tree] rect").first).to_be_visible()
    page.get_by_role("link", name="browser-bob").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_have_text(re.compile(r"^Block \d+$"))
    assert watched.complaints == []
    assert {url.split("/")[2] for url in watched.asked} == {stack.url.split("/")[2]}


def test_the_button_asks_for_a_block_and_follows_it(stack: Stack, watched: Watched) -> None:
    page = watched.page
    page.goto(stack.url)
    page.get_by_role("button", name="Mine a block").click()
    receipt = page.locator(".receipts li").first
    expect(receipt).to_have_text(re.compile(r"^mine request.*done in block \d+$"))
    page.locator("[data-blocks] tr").first.get_by_role("link").first.click()
    expect(page.locator("h1")).to_have_text(re.compile(r"^Block \d+$"))
    assert watched.complaints == []


def test_a_burst_is_seen_as_it_comes_and_as_it_is_mined(stack: Stack, watched: Watched) -> None:
    page = watched.page
    page.goto(stack.url)
    page.locator("[data-plot=depth] polyline").wait_for(state="attached")
    blocks = number(page, "height")
    for burst in range(5):
        lines = b"\n".join(
            b'{"sender":"burst","recipient":"b","amount":1,"nonce":"%d.%d"}' % (burst, i)
            for i in range(5000)
        )
        assert post_raw(stack.url, lines, "application/x-ndjson").status == 202
    wait_for(lambda: number(page, "accepted") > 1000, "a rate that shows the burst", 20)
    wait_for(lambda: number(page, "height") > blocks, "a block on the page", 30)
    stack.wait_until_drained()
    wait_for(lambda: number(page, "depth") == 0, "a depth of 0 on the page", 20)
    expect(page.locator("[data-state]")).to_have_text(
        "Idle: every accepted transaction is in a block."
    )
    shown = page.locator("[data-blocks] tr")
    tip = stack.get("/chain/tip").json()
    expect(shown.first).to_have_attribute("data-hash", tip["hash"])
    assert watched.complaints == []


def test_a_refusal_is_shown_beside_the_form(stack: Stack, watched: Watched) -> None:
    page = watched.page
    page.goto(stack.url)
    page.get_by_label("Amount").fill("1.5")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"^Invalid transaction: amount"))
    expect(page.locator(".receipts li")).to_have_count(0)
    page.get_by_label("Amount").fill("15")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".receipts li")).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_text("")
    # the browser itself notes an answer of 400; the page has nothing to add
    assert [text for text in watched.complaints if "400" not in text] == []


def test_the_search_finds_by_index_hash_id_and_address(stack: Stack, watched: Watched) -> None:
    made = post(stack.url, {"sender": "seek", "recipient": "find", "amount": 1}).json()["id"]
    stack.wait_until_drained()
    tip = stack.get("/chain/tip").json()
    page = watched.page
    page.goto(stack.url)
    for text, title in (
        (str(tip["index"]), f"Block {tip['index']}"),
        (tip["hash"], f"Block {tip['index']}"),
        (made, "Transaction"),
        ("seek", "Address"),
    ):
        box = page.get_by_role("searchbox")
        box.fill(text)
        box.press("Enter")
        expect(page.locator("h1")).to_have_text(title)
    assert watched.complaints == []


def test_the_page_is_used_by_the_keyboard_alone(stack: Stack, watched: Watched) -> None:
    page = watched.page
    page.goto(stack.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "amount":
            break
    page.keyboard.press("Control+A")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator(".receipts li")).to_have_count(1)
    assert watched.complaints == []


@pytest.mark.parametrize("path", ["", "blocks/2", "addresses?name=narrow", "search?q=", "tx/"])
def test_no_page_is_wider_than_a_phone(stack: Stack, browser: Browser, path: str) -> None:
    payment = {"sender": "narrow", "recipient": "w" * 128, "amount": 2**53 - 1}
    made = post(stack.url, payment).json()["id"]
    stack.wait_until_drained()
    path += made if path == "tx/" else ""
    watched = Watched(browser, viewport=PHONE, is_mobile=True, has_touch=True)
    watched.page.goto(f"{stack.url}/{path}")
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    watched.context.close()


def test_without_scripts_all_is_there_to_be_read(stack: Stack, browser: Browser) -> None:
    made = post(stack.url, {"sender": "plain", "recipient": "reader", "amount": 4}).json()["id"]
    stack.wait_until_drained()
    watched = Watched(browser, java_script_enabled=False)
    page = watched.page
    page.goto(stack.url)
    assert number(page, "height") >= 2
    # a form that could do nothing is not shown
    expect(page.locator("#submit")).to_be_hidden()
    assert "This form needs scripts" in page.content()
    page.goto(f"{stack.url}/tx/{made}")
    expect(page.locator(".facts")).to_contain_text("reader")
    watched.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(stack: Stack, browser: Browser, scheme: Any) -> None:
    # a block that arrives is marked for a second by a ground of its own
    watched = Watched(browser, color_scheme=scheme, reduced_motion="reduce")
    watched.page.goto(stack.url)
    low = watched.page.evaluate(Path(__file__).with_name("contrast.js").read_text())
    assert low == []
    watched.context.close()


def test_the_viewer_of_the_api_shows_every_operation(stack: Stack, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{stack.url}/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    document = stack.get("/openapi.json").json()
    expect(page.locator(".opblock")).to_have_count(sum(map(len, document["paths"].values())))
    assert watched.complaints == []


def test_a_server_that_is_away_is_told_and_that_it_is_back(
    tmp_path: Path, browser: Browser
) -> None:
    stack = Stack(tmp_path / "data").start()
    watched = Watched(browser)
    try:
        page = watched.page
        page.goto(stack.url)
        expect(page.locator("[data-light]")).to_have_attribute("data-light", "idle")
        (server,) = stack.processes_of("valkey-server|redis-server")
        os.kill(server.pid, signal.SIGSTOP)
        expect(page.locator("[data-light]")).to_have_attribute("data-light", "away")
        os.kill(server.pid, signal.SIGCONT)
        expect(page.locator("[data-light]")).to_have_attribute("data-light", "idle")
        assert watched.complaints == []
    finally:
        watched.context.close()
        stack.stop()


ATTACK = """<!doctype html><title>attack</title>
<img src="{node}/mine"><img src="{node}/nodes/resolve">
<script>
const ask = (path, more) => fetch("{node}" + path, {{mode: "no-cors", ...more}});
const text = (value) => ({{method: "POST", body: JSON.stringify(value)}});
Promise.allSettled([
  ask("/chain/mine"),
  ask("/chain/mine", {{method: "POST"}}),
  ask("/nodes/register", text({{nodes: ["http://127.0.0.1:1"]}})),
  ask("/chain/new", text({{sender: "a", recipient: "b", amount: 5}})),
  fetch("{node}/chain/new", {{...text({{}}), headers: {{"Content-Type": "application/json"}}}}),
  fetch("{node}/nodes/http://127.0.0.1:1", {{method: "DELETE"}}),
]).then(() => {{ document.title = "done"; }});
</script>"""


@contextmanager
def _serve(page: str) -> Iterator[int]:
    """Serve a page of somebody else, at a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # as the library calls it
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_page_of_another_site_changes_nothing(tmp_path: Path, watched: Watched) -> None:
    node = Stack(tmp_path / "data").start()
    try:
        before = node.queue()
        with _serve(ATTACK.format(node=node.url)) as port:
            for host in ("127.0.0.1", "localhost", FOREIGN):
                watched.page.goto(f"http://{host}:{port}/")
                expect(watched.page).to_have_title("done")
        # all but what a browser itself holds back got there, from each site
        refused = 'minequeue_requests_refused_total{reason="foreign-origin"} 18.0'
        wait_for(lambda: refused in node.get("/metrics").body.decode(), "the count of refusals")
        after = node.queue()
        assert (after["depth"], after["tip"]) == (0, before["tip"])
        assert node.get("/nodes/").json()["total_nodes"] == []
    finally:
        assert node.stop() == 0


def test_a_page_whose_name_leads_to_the_node_gets_nothing(stack: Stack, watched: Watched) -> None:
    port = stack.url.rpartition(":")[2]
    answer = watched.page.goto(f"http://{FOREIGN}:{port}/queue")
    assert answer
    assert answer.status == 421
