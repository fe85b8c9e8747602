"""The ledger's scripts, as the loader makes them of their files."""

from importlib import resources
from pathlib import Path

import pytest

from minequeue.chain.ledger import open_redis, redis_client
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.scripts import parse_script, read_scripts

KEYS = Keys("test")
PRELUDE = """\
-- What all share.

-- The clock.
local function read_clock()
  return redis.call('TIME')[1] -- s
end

-- The first.
local write_first = redis.call
"""
HEAD = """\
-- A script.
-- KEYS tip, records   see elsewhere
"""
BODY = "return { tip, records }\n"


def parse(text: str) -> str:
    return parse_script("example", text, PRELUDE).source


@pytest.mark.parametrize("name", read_scripts())
def test_a_line_of_a_script_has_the_number_that_it_has_in_its_file(name: str) -> None:
    file = resources.files("minequeue.chain.ledger").joinpath("lua", f"{name}.lua")
    source = read_scripts()[name].source.splitlines()
    first, *rest = file.read_text("utf-8").splitlines()
    assert source[0].endswith(first)
    assert source[1:] == rest


def test_a_script_gets_what_it_uses_of_the_prelude() -> None:
    text = f"-- read_clock knows the time, and write_first writes it down.\n{HEAD}{BODY}"
    keys = "local tip, records = unpack(KEYS)"
    assert parse(text) == f"{keys} {text}"
    clock = "local function read_clock() return redis.call('TIME')[1] end"
    text += "read_clock()\n"
    assert parse(text) == f"{keys} {clock} {text}"
    text += "write_first('DEL', tip)\n"
    assert parse(text) == f"{keys} {clock} local write_first = redis.call {text}"


def test_a_script_gets_the_keys_that_its_head_names() -> None:
    script = parse_script("example", f"{HEAD}-- KEYS bucket  hash\n{BODY}return bucket", PRELUDE)
    assert script.source.startswith("local tip, records, bucket = unpack(KEYS) -- A script.")
    assert script.find_keys(KEYS, {"bucket": "given"}) == [KEYS.tip, KEYS.records, "given"]
    with pytest.raises(KeyError, match="bucket"):
        script.find_keys(KEYS)


def test_the_last_name_of_a_head_may_stand_for_any_number_of_keys() -> None:
    text = f"{HEAD}-- KEYS resolutions...\n{BODY}return #resolutions"
    script = parse_script("example", text, PRELUDE)
    assert script.source.startswith(
        "local tip, records = unpack(KEYS) local resolutions = {unpack(KEYS, 3)} -- A script."
    )
    for given in ([], ["one"], ["one", "two"]):
        expected = [KEYS.tip, KEYS.records, *given]
        assert script.find_keys(KEYS, {"resolutions": given}) == expected


@pytest.mark.parametrize(
    ("head", "body", "fault"),
    [
        ("-- A script.", "", "names no key"),
        ("-- KEYS tipp", "tipp", "names the key 'tipp', which is unknown"),
        ("-- KEYS[1] tip", "tip", r"names the key '\[1\] tip', which is unknown"),
        ("-- KEYS tip records", "tip, records", "names the key 'tip records', which is unknown"),
        ("-- KEYS connected", "connected", "names the key 'connected', which is unknown"),
        ("-- KEYS resolutions", "resolutions", "names the key 'resolutions', which is unknown"),
        ("-- KEYS bucket...", "bucket", r"names the key 'bucket\.\.\.', which is unknown"),
        ("-- KEYS tip\n-- KEYS records, tip", "tip, records", "names the key tip twice"),
        ("-- KEYS tip, records", "tip -- not records", "names the key records and does not use"),
        ("-- KEYS resolutions..., tip", "resolutions, tip", r"names a key after resolutions\.\.\."),
        ("-- KEYS tip", "tip, KEYS[2]", "takes keys by their numbers"),
    ],
)
def test_a_script_with_a_wrong_head_is_refused_when_it_is_read(
    head: str, body: str, fault: str
) -> None:
    with pytest.raises(ValueError, match=rf"^chain/ledger/lua/example\.lua {fault}"):
        parse(f"{head}\nreturn {{ {body} }}\n")


def test_no_connection_is_made_where_a_script_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lua"
    folder.mkdir()
    (folder / "prelude.lua").write_text(PRELUDE)
    (folder / "wrong.lua").write_text("-- KEYS tipp\nreturn tipp\n")
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    monkeypatch.setattr(redis_client, "read_scripts", read_scripts.__wrapped__)
    with pytest.raises(ValueError, match="tipp"):
        open_redis("redis://localhost", wait_s=1)
