"""Tokens: who may do what, and how much a second."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from minequeue.chain.ledger import Ledger
from minequeue.compose.cli.main import cli
from minequeue.compose.config.settings import BadSetting, Settings
from minequeue.web.guard.tokens import BadToken, Tokens, make_entry
from minequeue.web.http.scopes import scope_of
from tests.web_clients import PLAIN, make_client

# drawn by none: they are in names of tests, which have to be the same in every process
TEXTS = {name: f"mq_{name:x<43}" for name in ("submit", "mine", "peer", "admin", "slow")}
ENTRIES = [
    *(make_entry(scope, [scope], TEXTS[scope], 0, 0) for scope in TEXTS if scope != "slow"),
    make_entry("slow", ["submit"], TEXTS["slow"], 3, 5),
]
TOKENS = Tokens(tuple(ENTRIES))
OPEN = frozenset({"GET", "HEAD", "OPTIONS"})


@pytest.fixture
def client(ledger: Ledger) -> FlaskClient:
    return make_client(ledger, tokens=TOKENS, batch=100)


def _show(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TEXTS[name]}"}


def _ask(client: FlaskClient, method: str, path: str, **options: Any) -> tuple[int, str, Any]:
    answer = client.open(path, method=method, **options)
    kind = ""
    if answer.content_type == "application/problem+json":
        kind = answer.get_json()["type"].rpartition(":")[2]
    return answer.status_code, kind, answer.headers


CHANGES = [
    ("POST", "/chain/new", "submit"),
    ("POST", "/chain/mine", "mine"),
    ("GET", "/chain/mine", "mine"),
    ("GET", "/mine", "mine"),
    ("POST", "/nodes/register", "admin"),
    ("DELETE", "/nodes/http://127.0.0.1:1", "admin"),
    ("POST", "/nodes/resolve", "peer"),
    ("GET", "/nodes/resolve", "peer"),
]


@pytest.mark.parametrize(("method", "path", "scope"), CHANGES)
def test_a_route_that_changes_something_takes_a_token_of_its_scope(
    client: FlaskClient, method: str, path: str, scope: str
) -> None:
    body = {"json": PLAIN if path == "/chain/new" else {"nodes": ["127.0.0.1:1"]}}
    status, kind, headers = _ask(client, method, path, **body)
    assert (status, kind) == (401, "unauthorized")
    assert headers["WWW-Authenticate"] == 'Bearer realm="minequeue"'
    other = "mine" if scope != "mine" else "submit"
    status, kind, headers = _ask(client, method, path, headers=_show(other), **body)
    assert (status, kind) == (403, "insufficient-scope")
    assert f'scope="{scope}"' in headers["WWW-Authenticate"]
    for name in (scope, "admin"):
        assert _ask(client, method, path, headers=_show(name), **body)[0] in {201, 202, 204, 404}


def test_no_route_that_changes_something_is_without_a_scope(client: FlaskClient) -> None:
    app: Flask = client.application
    guarded = {
        rule.endpoint for rule in app.url_map.iter_rules() if not (rule.methods or set()) <= OPEN
    }
    assert {name for name in guarded if scope_of(app.view_functions[name]) is None} == set()
    scopes = {name: scope_of(view) for name, view in app.view_functions.items()}
    assert {name for name, scope in scopes.items() if scope} == {
        "submissions.submit",
        "mining.mine",
        "nodes.register_nodes",
        "nodes.remove_node",
        "nodes.resolve",
    }


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {TEXTS['submit']}",
        TEXTS["submit"],
        f"Bearer {TEXTS['submit']}x",
        f"Bearer {TEXTS['submit'].upper()}",
        "Bearer \xff",
    ],
)
def test_other_credentials_are_none(client: FlaskClient, credentials: str) -> None:
    headers = {"Authorization": credentials}
    status, _, answered = _ask(client, "POST", "/chain/new", json=PLAIN, headers=headers)
    assert status == 401
    assert answered["WWW-Authenticate"].startswith("Bearer")
    assert TEXTS["submit"] not in str(answered)


@pytest.mark.parametrize("path", ["/chain", "/queue", "/health/ready", "/nodes/", "/chain/tip"])
def test_reading_takes_no_token(client: FlaskClient, path: str) -> None:
    assert _ask(client, "GET", path)[0] == 200


def test_without_tokens_everybody_may_do_everything(ledger: Ledger) -> None:
    client = make_client(ledger)
    assert _ask(client, "POST", "/chain/new", json=PLAIN)[0] == 202
    assert _ask(client, "POST", "/chain/mine")[0] == 202


def test_requests_past_the_limit_are_429_with_a_time_to_come_back(client: FlaskClient) -> None:
    asked = [
        _ask(client, "POST", "/chain/new", json=PLAIN, headers=_show("slow")) for _ in range(4)
    ]
    assert [status for status, _, _ in asked] == [202, 202, 202, 429]
    assert asked[-1][1] == "rate-limited"
    assert asked[-1][2]["Retry-After"] == "1"
    assert client.get("/queue").get_json()["depth"] == 3


def test_entries_past_the_limit_are_429_and_none_of_them_is_accepted(client: FlaskClient) -> None:
    send = {"json": [PLAIN] * 5, "headers": _show("slow")}
    assert _ask(client, "POST", "/chain/new", **send)[0] == 202
    assert _ask(client, "POST", "/chain/new", **send)[:2] == (429, "rate-limited")
    assert client.get("/queue").get_json()["depth"] == 5


def test_a_batch_larger_than_the_limit_is_paid_for_afterwards(client: FlaskClient) -> None:
    assert _ask(client, "POST", "/chain/new", json=[PLAIN] * 50, headers=_show("slow"))[0] == 202
    status, _, headers = _ask(client, "POST", "/chain/new", json=PLAIN, headers=_show("slow"))
    assert status == 429
    assert headers["Retry-After"] in {"9", "10"}  # 50 at 5 a second, and a second's worth in hand


def test_one_limit_holds_for_all_processes(ledger: Ledger) -> None:
    clients = [make_client(ledger, tokens=TOKENS) for _ in range(2)]
    send = {"json": PLAIN, "headers": _show("slow")}
    found = [_ask(clients[n % 2], "POST", "/chain/new", **send)[0] for n in range(4)]
    assert found == [202, 202, 202, 429]


def test_others_are_not_held_up_by_ones_limit(client: FlaskClient) -> None:
    for _ in range(4):
        _ask(client, "POST", "/chain/new", json=PLAIN, headers=_show("slow"))
    assert _ask(client, "POST", "/chain/new", json=PLAIN, headers=_show("submit"))[0] == 202


def test_a_new_token_is_shown_once_and_its_entry_lets_it_in() -> None:
    arguments = ["token", "new", "--name", "shop", "--scope", "submit", "--scope", "mine", "--json"]
    made = json.loads(CliRunner().invoke(cli, arguments).stdout)
    assert made["token"] not in made["entry"]
    token = Tokens.parse(made["entry"]).find(made["token"])
    assert token
    assert token.may("submit")
    assert token.may("mine")
    assert not token.may("peer")


def test_entries_are_written_as_they_are_read() -> None:
    assert Tokens.parse(str(TOKENS)) == TOKENS


@pytest.mark.parametrize(
    "entry",
    [
        "name",
        "name:submit",
        "name:submit:" + "0" * 63,
        "name:submit:" + "G" * 64,
        "name:fly:" + "0" * 64,
        "na me:submit:" + "0" * 64,
        ":submit:" + "0" * 64,
        "name:submit:" + "0" * 64 + ":1",
        "name:submit:" + "0" * 64 + ":-1:0",
        "name:submit:" + "0" * 64 + ":1000001:0",
        "name:submit:" + "0" * 64 + ":x:0",
        "name:submit:" + "0" * 64 + ",name:mine:" + "1" * 64,
    ],
)
def test_a_bad_entry_is_refused(entry: str) -> None:
    with pytest.raises(BadToken):
        Tokens.parse(entry)


SUBMITTER, ADMINISTRATOR = "a:submit:" + "0" * 64, "b:admin:" + "1" * 64


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"#{SUBMITTER},{ADMINISTRATOR}", ""),
        (f" # {SUBMITTER} , {ADMINISTRATOR}\r\n", ""),
        (f"{SUBMITTER},#{ADMINISTRATOR}", "a"),
        (f"{SUBMITTER} # the shop, until May\n{ADMINISTRATOR}", "ab"),
        (f"#{SUBMITTER},\n,{ADMINISTRATOR},\n\n", "b"),
        (f"{SUBMITTER},{ADMINISTRATOR}", "ab"),
        ("", ""),
    ],
)
def test_a_comment_ends_with_its_line_and_not_at_a_comma(text: str, names: str) -> None:
    assert "".join(token.name for token in Tokens.parse(text)) == names


@given(st.text(alphabet="nam:+submit0123456789abcdef,\n#@ ", max_size=100))
def test_whatever_is_read_as_tokens_is_written_as_it_is_read(text: str) -> None:
    try:
        tokens = Tokens.parse(text)
    except BadToken:
        return
    assert Tokens.parse(str(tokens)) == tokens


SECRETS = {
    "MINEQUEUE_REDIS_URL": "redis://user:s3cret@ledger:6379",
    "MINEQUEUE_TOKENS": str(TOKENS),
    "MINEQUEUE_TOKEN": "s3cret",
    "MINEQUEUE_FLOWER_AUTH": "user:s3cret",
}


def test_no_secret_is_in_the_repr_of_the_settings() -> None:
    shown = repr(Settings.from_environment(SECRETS))
    assert "s3cret" not in shown
    assert ENTRIES[0].digest.hex() not in shown
    assert "ledger:6379" in shown


@pytest.mark.parametrize(
    "name", ["MINEQUEUE_REDIS_URL", "MINEQUEUE_TOKENS", "MINEQUEUE_FLOWER_AUTH"]
)
def test_no_secret_is_in_the_refusal_of_a_setting(name: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.from_environment({name: "s3cret"})
    assert "s3cret" not in str(caught.value)
    assert name in str(caught.value)


def test_tokens_may_stand_in_a_file(tmp_path: Any) -> None:
    path = tmp_path / "tokens"
    path.write_text("# who may do what\n" + "\n".join(map(str, ENTRIES)) + "\n")
    assert Settings.from_environment({"MINEQUEUE_TOKENS": f"@{path}"}).tokens == TOKENS
    with pytest.raises(BadSetting, match="cannot be read"):
        Settings.from_environment({"MINEQUEUE_TOKENS": f"@{path}.not"})


@pytest.mark.parametrize("text", ["", "\n", f"# {SUBMITTER},{ADMINISTRATOR}\n"])
def test_a_file_without_an_entry_lets_nobody_in_and_stops_the_start(
    tmp_path: Any, text: str
) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(BadSetting, match="has no entry"):
        Settings.from_environment({"MINEQUEUE_TOKENS": f"@{path}"})


def test_an_empty_variable_is_a_node_without_tokens() -> None:
    assert not Settings.from_environment({"MINEQUEUE_TOKENS": ""}).tokens
