"""No page of another origin changes anything, and no name of its own leads it to a node."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from minequeue.chain.ledger import Ledger
from minequeue.compose.config.settings import BadSetting, Settings
from minequeue.web.guard.tokens import Tokens, draw_token, make_entry
from tests.web_clients import PLAIN, make_client

HOST = "localhost:3000"
TOKEN = draw_token()
TOKENS = Tokens((make_entry("all", ["admin"], TOKEN, 0, 0),))
CHANGES = [
    ("POST", "/chain/new"),
    ("POST", "/chain/mine"),
    ("GET", "/chain/mine"),
    ("GET", "/mine"),
    ("POST", "/nodes/register"),
    ("DELETE", "/nodes/http://127.0.0.1:1"),
    ("POST", "/nodes/resolve"),
    ("GET", "/nodes/resolve"),
]
each_change = pytest.mark.parametrize(("method", "path"), CHANGES)
CHANGED = {201, 202, 204, 404}  # the last one: there is no node to be removed
FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:3001"},
    {"Origin": "http://evil.localhost:3000"},
    {"Origin": "http://web:3001"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "chrome-extension://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HOST}"},
]
OWN = [
    {},
    {"Origin": f"http://{HOST}"},
    {"Origin": f"https://{HOST}"},
    {"Origin": f"HTTP://{HOST.upper()}"},
    {"Origin": "https://web"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{HOST}"},
]


def _change(client: FlaskClient, method: str, path: str, headers: dict[str, str]) -> Any:
    body = PLAIN if path == "/chain/new" else {"nodes": ["127.0.0.1:1"]}
    return client.open(path, method=method, json=body, headers={"Host": HOST, **headers})


def _kind(answer: Any) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2]


def _is_untouched(ledger: Ledger) -> bool:
    return not ledger.queue.read().depth and not ledger.peers.list_all()


@each_change
def test_a_foreign_page_changes_nothing(ledger: Ledger, method: str, path: str) -> None:
    client = make_client(ledger, hosts=["web"])
    for headers in FOREIGN:
        answer = _change(client, method, path, headers)
        assert _kind(answer) == (403, "foreign-origin"), headers
    assert _is_untouched(ledger)


@each_change
def test_a_token_makes_no_foreign_page_ours(ledger: Ledger, method: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}
    answer = _change(make_client(ledger, tokens=TOKENS), method, path, headers)
    assert _kind(answer) == (403, "foreign-origin")
    assert _is_untouched(ledger)


@each_change
def test_our_own_pages_and_what_is_no_browser_change_what_they_like(
    ledger: Ledger, method: str, path: str
) -> None:
    client = make_client(ledger, hosts=["web"])
    for headers in OWN:
        assert _change(client, method, path, headers).status_code in CHANGED, headers


@pytest.mark.parametrize("host", ["node.example", "node.example:443"])
def test_an_origin_is_ours_with_its_default_port_or_without(ledger: Ledger, host: str) -> None:
    client = make_client(ledger, hosts=["node.example"], tokens=TOKENS)
    own = {"Authorization": f"Bearer {TOKEN}", "Host": host, "Origin": "https://node.example"}
    assert _change(client, "POST", "/chain/new", own).status_code == 202


@pytest.mark.parametrize("path", ["/", "/queue", "/chain", "/nodes/", "/docs"])
def test_a_link_of_another_page_leads_here(ledger: Ledger, path: str) -> None:
    client = make_client(ledger)
    for headers in FOREIGN:
        assert client.get(path, headers=headers).status_code == 200, headers


OUR_HOSTS = [
    "127.0.0.1",
    "127.0.0.1:3000",
    "10.42.0.17:3000",
    "203.0.113.9",
    "[::1]",
    "[::1]:3000",
    "[fd00::17]:3000",
    "localhost",
    "LocalHost:3000",
    "localhost.:3000",
    "web",
    "Web:3000",
    "node.example",
    "node.example.:443",
]
OTHER_HOSTS = [
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "evil.localhost",
    "127.0.0.1.evil.example",
    "127.0.0.1:3000.evil.example",
    "127.1",
    "0x7f000001",
    "2130706433",
    "[::1].evil.example",
    "[evil.example]:3000",
    "webb",
    "web.evil.example",
    "evil.example, localhost",
    "localhost@evil.example",
    "-",
]


@pytest.mark.parametrize("host", OUR_HOSTS)
def test_an_address_localhost_and_the_names_that_are_set_are_ours(
    ledger: Ledger, host: str
) -> None:
    client = make_client(ledger, hosts=["web", "node.example"])
    for method, path in [("GET", "/queue"), ("POST", "/chain/new"), ("GET", "/chain/mine")]:
        answer = client.open(path, method=method, json=PLAIN, headers={"Host": host})
        assert answer.status_code in {200, 202}


@pytest.mark.parametrize(
    ("method", "path"), [*CHANGES, ("GET", "/"), ("GET", "/chain"), ("GET", "/no-such-path")]
)
def test_a_page_that_lets_its_name_lead_here_gets_nothing(
    ledger: Ledger, method: str, path: str
) -> None:
    client = make_client(ledger, hosts=["web", "node.example"])
    for host in OTHER_HOSTS:
        # in a browser's eyes it is no foreign page
        own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        answer = _change(client, method, path, own)
        assert _kind(answer) == (421, "misdirected-request"), host
        assert "MINEQUEUE_HOSTS" in answer.get_json()["detail"]
        assert answer.headers["X-Request-Id"]
    assert _is_untouched(ledger)


def test_a_request_to_another_host_is_counted(ledger: Ledger) -> None:
    client = make_client(ledger)
    client.get("/queue", headers={"Host": "evil.example"})
    client.application.extensions["minequeue"].refusals.flush()
    metrics = client.get("/metrics").text
    assert 'minequeue_requests_refused_total{reason="misdirected-request"} 1.0' in metrics


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_probe_names_the_host_as_it_likes(ledger: Ledger, path: str) -> None:
    assert make_client(ledger).get(path, headers={"Host": "probe.example"}).status_code == 200


def test_who_shows_a_token_may_ask_by_any_name(ledger: Ledger) -> None:
    client = make_client(ledger, tokens=TOKENS)
    headers = {"Host": "any.example", "Authorization": f"Bearer {TOKEN}"}
    assert client.post("/chain/new", json=PLAIN, headers=headers).status_code == 202
    assert client.get("/queue", headers=headers).status_code == 200


def test_an_old_client_need_not_name_a_host(ledger: Ledger) -> None:
    client = make_client(ledger)
    assert client.get("/queue", headers={"Host": ""}).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("Application/JSON; charset=utf-8", 201),
        ("application/x-ndjson", 415),
        ("text/plain", 415),
        ("text/plain; application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_nodes_are_registered_by_what_a_page_cannot_send_unasked(
    ledger: Ledger, kind: str, status: int
) -> None:
    client = make_client(ledger)
    body = b'{"nodes": ["http://127.0.0.1:3001"]}'
    answer = client.post("/nodes/register", data=body, content_type=kind)
    assert answer.status_code == status
    if status != 201:
        assert answer.headers["Accept"] == "application/json"
        assert _is_untouched(ledger)


def test_names_are_written_with_commas_between_them() -> None:
    settings = Settings.from_environment({"MINEQUEUE_HOSTS": " web,, Node.Example ,"})
    assert settings.hosts == ("web", "node.example")
    assert Settings.from_environment(settings.as_environment()).hosts == settings.hosts


@pytest.mark.parametrize(
    "text", ["web:3000", "http://web", "*.example", "*", "a b", "web;b", "::1"]
)
def test_what_is_no_name_of_a_host_stops_the_start(text: str) -> None:
    with pytest.raises(BadSetting, match="MINEQUEUE_HOSTS"):
        Settings.from_environment({"MINEQUEUE_HOSTS": text})
