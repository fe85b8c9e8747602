import re
from dataclasses import fields
from pathlib import Path

import pytest

from minequeue.compose.config.settings import BadSetting, Settings, variable

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_without_variables_every_setting_has_its_default() -> None:
    settings = Settings.from_environment({"HOME": "/root", "MINEQUEUE_STACK": "set by up"})
    assert (settings.port, settings.bits, settings.network) == (3000, 20, "minequeue")


def test_an_option_of_the_command_line_wins_over_its_variable() -> None:
    settings = Settings.from_environment({"MINEQUEUE_PORT": "1"}, {"port": "2"})
    assert settings.port == 2


def test_settings_reach_another_process_unchanged() -> None:
    settings = Settings.from_environment(
        {
            "MINEQUEUE_MINERS": "2,5",
            "MINEQUEUE_FLEET": "0,50",
            "MINEQUEUE_MAX_PENDING": "7,9",
            "MINEQUEUE_DATA_DIR": "/x y",
            "MINEQUEUE_REDIS_URL": "redis://:secret@host/0",
        }
    )
    assert Settings.from_environment(settings.as_environment()) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", ""),
        ("HOST", "localhost"),  # a name may lead to several addresses, and one is listened on
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("BITS", "0"),
        ("BITS", "65"),
        ("BITS", "1.5"),
        ("MINERS", "3,2"),
        ("MINERS", "0,0"),
        ("MINERS", "-1,2"),
        ("MINERS", "x"),
        ("FLEET", "2,1"),
        ("MAX_PENDING", "0"),
        ("MAX_PENDING", "1,0"),
        ("BLOCK_INTERVAL", "0"),
        ("BLOCK_INTERVAL", "nan"),
        ("REDIS_URL", "http://host"),
        ("REDIS_URL", "redis://host:port/0"),
        ("REDIS_URL", "redis://[::1/0"),
        ("NETWORK", ""),
        ("NETWORK", "a}b"),
        ("REDIS_WAIT", "inf"),
        ("TOKEN", "two\nlines"),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"MINEQUEUE_{name}: "):
        Settings.from_environment({f"MINEQUEUE_{name}": value})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("host", "::", "::"),
        ("port", "65535", 65535),
        ("bits", "64", 64),
        ("miners", "0,3", (0, 3)),
        ("miners", "4", (4, 4)),
        ("max_pending", "10", (10, 512 * 2**20)),
        ("max_pending", "10,2000", (10, 2000)),
    ],
)
def test_a_value_at_its_bound_is_taken(name: str, value: str, expected: object) -> None:
    settings = Settings.from_environment({variable(name): value})
    assert getattr(settings, name) == expected


def test_an_unknown_variable_of_ours_stops_the_start_and_is_named() -> None:
    with pytest.raises(BadSetting, match="MINEQUEUE_PROT is not a setting"):
        Settings.from_environment({"MINEQUEUE_PROT": "3000"})


def test_a_password_is_shown_neither_in_a_repr_nor_in_an_error() -> None:
    settings = Settings.from_environment({"MINEQUEUE_REDIS_URL": "redis://user:secret@host:1/0"})
    assert "secret" not in repr(settings)
    assert "***@host:1" in repr(settings)
    # the last two are no URLs, and a reader of URLs says so with a part of them
    for url in (
        "http://user:secret@host",
        "redis://user:secret/#@host:1/0",
        "redis://user:secret\u2100@host:1/0",
    ):
        with pytest.raises(BadSetting) as refusal:
            Settings.from_environment({"MINEQUEUE_REDIS_URL": url})
        assert "secret" not in str(refusal.value)


def test_the_page_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(MINEQUEUE_\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE))
    by_cpu = {"miners", "web_processes"}
    expected = {
        variable(f.name): "by the processors"
        if f.name in by_cpu
        else f"`{f.metadata['default']}`" * bool(f.metadata["default"])
        for f in fields(Settings)
    }
    assert rows == expected
