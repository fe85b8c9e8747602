"""The log: one line an event, for programs or for people."""

import json
import logging
import re
from typing import Any

import pytest

from minequeue.compose.config.logs import JsonLines, TextLines, make_config


def make_record(**more: Any) -> logging.LogRecord:
    record = logging.LogRecord(
        "minequeue.web.http.tracking", logging.INFO, "", 0, "%s of %d", ("ten", 3), None
    )
    record.created = 1_000.25
    record.__dict__.update(more)
    return record


def raised() -> Any:
    try:
        int("no\nsuch")
    except ValueError as error:
        return type(error), error, error.__traceback__


def test_json_is_an_object_a_line() -> None:
    record = make_record(fields={"request_id": "a b", "entries": 3, "who": object})
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:16:40.250Z",
        "level": "info",
        "logger": "minequeue.web.http.tracking",
        "event": "ten of 3",
        "request_id": "a b",
        "entries": 3,
        "who": "<class 'object'>",
    }


def test_a_traceback_is_a_member_of_the_object() -> None:
    line = JsonLines().format(make_record(exc_info=raised()))
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith(r"'no\nsuch'")


def test_people_get_words_and_a_traceback_below_them() -> None:
    line = TextLines().format(make_record(fields={"entries": 3}))
    assert line == "1970-01-01T00:16:40.250Z INFO minequeue.web.http.tracking: ten of 3 entries=3"
    lines = TextLines().format(make_record(exc_info=raised())).splitlines()
    assert lines[1].startswith("Traceback")


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_configuration_is_what_the_standard_library_takes(form: str) -> None:
    configured = logging.config.dictConfigClass(make_config(form))
    for name, config in make_config(form)["loggers"].items():
        assert re.fullmatch("[a-z]+", name)
        assert config == {"level": "INFO"}
    assert configured.configure_formatter(make_config(form)["formatters"]["lines"])


def test_what_others_wrote_stays_on_its_line_and_moves_no_terminal() -> None:
    record = make_record(fields={"reason": "\x1b]0;x\x07\x9b2J\u202e\n1970 INFO forged"})
    assert TextLines().format(record).isprintable()
