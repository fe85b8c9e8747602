"""The ledger's scripts, as the loader makes them of their files."""

from importlib import resources

import pytest

from minequeue.chain.ledger.scripts import parse_script, read_scripts

PRELUDE = """\
-- What all share.

-- The clock.
local function read_clock()
  return redis.call('TIME')[1] -- s
end

-- The first.
local write_first = redis.call
"""


@pytest.mark.parametrize("name", read_scripts())
def test_a_line_of_a_script_has_the_number_that_it_has_in_its_file(name: str) -> None:
    file = resources.files("minequeue.chain.ledger").joinpath("lua", f"{name}.lua")
    source = read_scripts()[name].source.splitlines()
    first, *rest = file.read_text("utf-8").splitlines()
    assert source[0].endswith(first)
    assert source[1:] == rest


def test_a_script_gets_what_it_uses_of_the_prelude() -> None:
    text = "-- Tells the time; read_clock knows it, and write_first writes it down.\n"
    assert parse_script(text, PRELUDE).source == text
    text += "return read_clock()\n"
    assert parse_script(text, PRELUDE).source == (
        f"local function read_clock() return redis.call('TIME')[1] end {text}"
    )
    text += "write_first('DEL', KEYS[1])\n"
    assert parse_script(text, PRELUDE).source.startswith(
        "local function read_clock() return redis.call('TIME')[1] end "
        "local write_first = redis.call -- Tells the time;"
    )
